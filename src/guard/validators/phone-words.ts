import { isSaid, isSaidFrom, isSaidIn, type Phrases, phrases } from './context.ts'
import { endsSentence } from './word-codes.ts'

// See “Reading characters” in docs/architecture.md.
const { charCodeAt } = String.prototype

/** Words anywhere in the clause in front. */
const SAID = phrases(
  'phone, phones, telephone, tel, mobile, cell, cellphone, fax, call, calling, called, dial, ring, whatsapp, sms, hotline',
  'phonenumber, telefon, teléfono, téléphone, handy, mobil, móvil, portable, telefoon, rufnummer, rückruf, celular, cellulare',
  'telemóvel, telefone, gsm, tlf, tfno, puhelin, telepono, telefonu, cep, viber, phn, тел, телефон, הטלפון, هاتف, फ़ोन',
  '电话, 電話, 手机, 手機, 携帯, 전화, 휴대폰',
)

/** Words that speak of many other things too: they count only shortly in front. */
const SAID_NEAR = phrases('reach, contact, answer, answering, text, office')
const NEAR = 24

/** All of them, for the reference. */
export const PHONE_WORDS: readonly string[] = SAID.list

let lastBefore = ''
let lastCalled = false

/** Whether the clause in front speaks of a telephone. Remembers the last answer: every end of a candidate asks the same. */
export function isCalled(before: string): boolean {
  if (before !== lastBefore) {
    lastBefore = before
    lastCalled = (isSaid(before, SAID) || isSaid(before, SAID_NEAR)) && isSaidInClause(before)
  }
  return lastCalled
}

function isSaidInClause(before: string): boolean {
  const end = contentEnd(before)
  const clause = clauseStart(before, end)
  return isSaidBehind(before, clause, SAID) || isSaidBehind(before, Math.max(clause, end - NEAR), SAID_NEAR)
}

function isSaidBehind(before: string, from: number, said: Phrases): boolean {
  return isSaidFrom(before, from, said) ?? isSaidIn(before.slice(from), said)
}

/** Where what stands in front ends, without the white space and signs that may stand between a label and its number. */
function contentEnd(before: string): number {
  let end = before.length
  while (end > 0 && ' |*`"\'_\n\t\r\v\f\u2028\u2029'.includes(before.charAt(end - 1))) end--
  return end
}

/** Where the clause begins that ends at `end`: behind the last line break, comma, bar or full stop. */
function clauseStart(text: string, end: number): number {
  for (let at = end - 1; at >= 0; at--) {
    const unit = charCodeAt.call(text, at)
    if (unit === DOT ? at + 1 < end && endsSentence(text, at) : BREAKS[unit] === 1) return at + 1
  }
  return 0
}

const DOT = 0x2e
const BREAKS = Uint8Array.from({ length: 0x80 }, (_, unit) => Number('\n,;|#'.includes(String.fromCharCode(unit))))
