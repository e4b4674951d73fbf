import type { Config } from '../../../src/config/config.ts'
import type { Caller } from '../../../src/config/rules-in-force.ts'
import { createDigest } from '../../../src/guard/digest.ts'
import { scanInjection } from '../../../src/guard/injection.ts'
import { bracketedIn, StandIns } from '../../../src/guard/stand-ins.ts'
import { TextGuard } from '../../../src/guard/text-guard.ts'
import { visitTexts } from '../../../src/openai/request-texts.ts'
import { compilePolicies } from '../../../src/pipeline/policy-book.ts'
import type { Outcome } from '../../../src/redteam/score.ts'
import { type Probe, requestOf } from '../../../src/redteam/suite.ts'
import { nodeHashing } from '../../node/hashing.ts'
import { CommandFailure } from '../failure.ts'

/**
 * Tries probes on the guard itself, as a configuration sets it up for a caller. Validators are not asked: they are outside.
 * @throws CommandFailure where the rules of the configuration cannot be compiled
 */
export function guardTrial({ guard, audit }: Config, caller: Caller): (probe: Probe) => Outcome {
  const compiled = compilePolicies(guard, createDigest(nodeHashing, new TextEncoder().encode(audit.hmacSecret)))
  if (!compiled.ok)
    throw new CommandFailure(compiled.faults.map(({ rule, reason }) => `rule ${rule}: ${reason}`).join('\n'))
  const policy = compiled.book.policyFor(caller)

  return function tryProbe(probe) {
    const texts = new TextGuard(
      probe.on === 'input' ? policy.input : policy.output,
      () => new StandIns(bracketedIn(probe.text)),
    )
    if (probe.on === 'output') {
      const text = texts.whole(probe.text)
      return texts.blocked ? { kind: 'blocked', code: texts.blocked.name } : { kind: 'passed', text }
    }
    let code: string | undefined
    visitTexts(requestOf(probe, 'model'), text => {
      if (policy.injection === 'block' && scanInjection(text, policy.injectionThreshold).flagged)
        code ??= 'guard_injection'
      const guarded = texts.whole(text)
      if (texts.blocked) code ??= texts.blocked.name
      return guarded
    })
    return code === undefined ? { kind: 'passed', text: probe.text } : { kind: 'blocked', code }
  }
}
