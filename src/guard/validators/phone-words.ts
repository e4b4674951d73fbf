import { mentions } from './context.ts'

/** Words anywhere in the clause in front. */
export const PHONE_WORDS: ReadonlySet<string> = new Set(
  [
    'phone phones telephone tel mobile cell cellphone fax call calling called dial ring whatsapp sms hotline phonenumber',
    'telefon teléfono telefono téléphone handy mobil móvil portable telefoon rufnummer rückruf celular cellulare telemóvel',
    'telefone gsm tlf tfno puhelin telepono telefonu cep viber phn тел телефон הטלפון هاتف फ़ोन',
  ].flatMap(line => line.split(' ')),
)

/** The same in scripts that do not part their words. */
const UNSPACED_WORDS = /电话|電話|手机|手機|携帯|전화|휴대폰/

/** Words that speak of many other things too: they count only shortly in front. */
const NEAR_WORDS: ReadonlySet<string> = new Set('reach contact answer answering text office'.split(' '))
const NEAR = 24

let lastBefore = ''
let lastCalled = false

/** Whether the clause in front speaks of a telephone. Remembers the last answer: every end of a candidate asks the same. */
export function isCalled(before: string): boolean {
  if (before !== lastBefore) {
    const clause = clauseOf(before)
    lastCalled =
      mentions(clause, PHONE_WORDS) || UNSPACED_WORDS.test(clause) || mentions(clause.slice(-NEAR), NEAR_WORDS)
    lastBefore = before
  }
  return lastCalled
}

/** The end of the text in front that speaks of the same thing: behind the last line break, comma, bar or full stop. */
function clauseOf(before: string): string {
  const text = before.replace(/[\s|*`"'_]+$/, '')
  for (let at = text.length - 1; at >= 0; at--) {
    const unit = text[at]
    if (unit === '.' ? endsSentence(text, at) : unit !== undefined && '\n,;|#'.includes(unit)) return text.slice(at + 1)
  }
  return text
}

/** A full stop in front of a space, unless behind an abbreviation such as `tel` or `no`. */
function endsSentence(text: string, at: number): boolean {
  return text[at + 1] === ' ' && !/(?:^|[^a-z])[a-z]{1,3}$/i.test(text.slice(Math.max(0, at - 4), at))
}
