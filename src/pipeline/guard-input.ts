import { LONG_BODY_BYTES } from '../config/limits.ts'
import type { Refusal } from '../errors/refusal.ts'
import { type InjectionScan, scanInjection, scanInSteps } from '../guard/injection.ts'
import type { RuleDefinition } from '../guard/rule.ts'
import { bracketedIn, StandIns } from '../guard/stand-ins.ts'
import { type Found, TextGuard } from '../guard/text-guard.ts'
import { inTurns, type Steps } from '../guard/turns.ts'
import { visitTexts } from '../openai/request-texts.ts'
import { estimateTextTokens } from '../quota/estimate.ts'
import type { Exchange, RequestPolicy } from './exchange.ts'
import { promptOverhead } from './prompt-overhead.ts'
import type { Services } from './services.ts'
import { turnsOf } from './turns-of.ts'

/**
 * Checks every text of the request: injection, personal data, secrets, the company's own rules. Replaces in place, or
 * refuses and names the place, never the value.
 */
export function guardInput(exchange: Exchange, services: Services): Refusal | undefined | Promise<Refusal | undefined> {
  const { body, policy } = exchange
  if (!body || !policy) throw new Error('guardInput runs behind authoriseModel')
  const guard = new TextGuard(policy.input, () => (exchange.standIns ??= new StandIns(bracketed(exchange))))
  if (body.bytes <= LONG_BODY_BYTES) return check(exchange, guard)
  // The caller has gone where nothing was found out.
  return inTurns(findIn(body.fields, policy, guard), turnsOf(exchange, services)).then(found =>
    found ? check(exchange, guard, found) : undefined,
  )
}

interface FoundInText {
  readonly found: Found
  /** Null where nobody asked. */
  readonly injection: InjectionScan | null
}
/** By text: what was found in it. */
type FoundIn = ReadonlyMap<string, FoundInText>

/** Looks through the texts of a long request before it is checked, so that the check itself takes no time over them. */
function* findIn(fields: Record<string, unknown>, policy: RequestPolicy, guard: TextGuard): Steps<FoundIn> {
  const texts = new Set<string>()
  visitTexts(fields, text => {
    texts.add(text)
    return text
  })
  const all = new Map<string, FoundInText>()
  for (const text of texts) {
    const injection = policy.injection === 'off' ? null : yield* scanInSteps(text, policy.injectionThreshold)
    all.set(text, { found: yield* guard.find(text), injection })
  }
  return all
}

function check(exchange: Exchange, guard: TextGuard, all?: FoundIn): Refusal | undefined {
  const { body, policy, model } = exchange
  if (!body || !policy || !model) throw new Error('guardInput runs behind authoriseModel')
  let refusal: Refusal | undefined
  const injections = { INJECTION: 0, INJECTION_MODEL: 0 }
  exchange.overhead = promptOverhead(body.fields, model, exchange.endpoint.path)
  exchange.estimatedInput = exchange.overhead.tokens
  if (Array.isArray(body.fields['prompt'])) exchange.prompts = body.fields['prompt'].length
  visitTexts(body.fields, (text, place) => {
    exchange.promptCharacters += text.length
    if (refusal) return text
    const known = all?.get(text)
    const injection =
      policy.injection === 'off' ? null : (known?.injection ?? scanInjection(text, policy.injectionThreshold))
    if (injection?.flagged) {
      injections[injection.byModel ? 'INJECTION_MODEL' : 'INJECTION']++
      if (policy.injection === 'block') refusal = { code: 'guard_injection', param: place }
    }
    const guarded = guard.whole(text, known?.found)
    if (guard.blocked) refusal ??= blocked(guard.blocked, place)
    if (exchange.standIns?.full) refusal ??= { code: 'guard_too_many_values', param: place }
    exchange.estimatedInput += estimateTextTokens(guarded)
    return guarded
  })
  for (const count of guard.tally()) exchange.findings.push({ stage: 'input', ...count })
  for (const [rule, count] of Object.entries(injections)) {
    if (count > 0) exchange.findings.push({ stage: 'input', rule, action: policy.injection, count })
  }
  if (refusal) return refusal
  const limit = model.maxPromptCharacters
  if (limit !== undefined && exchange.promptCharacters > limit) {
    return {
      code: 'prompt_too_long',
      message: `The prompt has ${exchange.promptCharacters} characters; this model takes ${limit}.`,
    }
  }
  return undefined
}

/** All that the model would read and that has the form of a stand-in. */
function bracketed({ body, model }: Exchange): Set<string> {
  const found = new Set<string>()
  visitTexts(body?.fields ?? {}, text => {
    bracketedIn(text, found)
    return text
  })
  bracketedIn(model?.systemPrompt ?? '', found)
  return found
}

function blocked(rule: RuleDefinition, place: string): Refusal {
  const code = rule.group === 'pii' ? 'guard_pii' : rule.group === 'secrets' ? 'guard_secrets' : 'guard_rule'
  return { code, param: place, reason: rule.name }
}
