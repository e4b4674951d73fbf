import type { Refusal } from '../errors/refusal.ts'
import { visitTexts } from '../openai/request-texts.ts'
import type { Subject } from '../validators/kind.ts'
import type { Validator } from '../validators/validator.ts'
import { windowsOf } from '../validators/windows.ts'
import type { Exchange } from './exchange.ts'
import type { Services } from './services.ts'
import { conclude, subjectOf } from './validation.ts'

/**
 * What do the validators say to the prompt? All of them look at once, at every text that the model would see, as the
 * guard has left it. Waits for those that come before the model; sets `inputCheck` for those that work alongside it.
 */
export function validateInput(exchange: Exchange, services: Services): Promise<Refusal | undefined> | undefined {
  const validators = services.validators?.of('input', exchange.policy?.validators) ?? []
  if (validators.length === 0) return undefined
  const gone = new AbortController()
  const cancel = () => gone.abort()
  const texts = textsOf(exchange)
  const subject = subjectOf(exchange, 'input')
  const check = (mode: 'before' | 'alongside') => {
    const some = validators.filter(({ config }) => config.input.mode === mode)
    return firstRefusal(some.map(validator => validate(validator, texts, subject, exchange, gone.signal)))
  }
  const late = check('alongside').then(refusal => {
    if (refusal) {
      cancel()
      exchange.interrupt()
    }
    return refusal
  })
  // It is waited for behind the model's first bytes, if there are any.
  late.catch(() => {})
  exchange.inputCheck = { late, cancel }
  if (exchange.gone) cancel()
  return check('before').then(refusal => {
    if (refusal) cancel()
    return refusal
  })
}

async function validate(
  validator: Validator,
  texts: readonly string[],
  subject: Subject,
  exchange: Exchange,
  gone: AbortSignal,
): Promise<Refusal | undefined> {
  const { name, input } = validator.config
  const windows = windowsOf(texts, input.window, input.maxWindows)
  if (windows) return conclude(exchange, 'input', validator, await validator.check(windows, subject, gone))
  const reason = `more than ${input.maxWindows} windows`
  const refusal = conclude(exchange, 'input', validator, { kind: 'failed', reason })
  // Sending it again would not help.
  const message = `The prompt is longer than the validator "${name}" can check.`
  return refusal && { code: 'prompt_too_long', message, reason: refusal.reason ?? '' }
}

/** Settles with the first refusal as soon as there is one, else with undefined when all have settled. */
function firstRefusal(checks: readonly Promise<Refusal | undefined>[]): Promise<Refusal | undefined> {
  return new Promise((resolve, reject) => {
    for (const check of checks) check.then(refusal => refusal && resolve(refusal), reject)
    Promise.all(checks).then(() => resolve(undefined), reject)
  })
}

const ITEM = /^([^.[]+)(?:\[\d+\])?/

/** The texts of the request: those of one message, tool or input together, and those of all other fields. */
function textsOf({ body, endpoint }: Exchange): string[] {
  const texts = new Map<string, string[]>()
  visitTexts(body?.fields ?? {}, (text, place) => {
    const [whole = '', field = ''] = ITEM.exec(place) ?? []
    const item = field === 'tools' || endpoint.prompt.includes(field) ? whole : ''
    const known = texts.get(item)
    if (known) known.push(text)
    else texts.set(item, [text])
    return text
  })
  return [...texts.values()].map(parts => parts.join('\n'))
}
