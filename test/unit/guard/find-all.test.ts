import { describe, expect, test } from 'vitest'
import { findAll, findAllInSteps } from '../../../src/guard/find-all.ts'
import { byGroup, compileSide, type GuardAction } from '../../../src/guard/policy.ts'
import { BUILT_IN_RULES } from '../../../src/guard/recognisers/index.ts'
import { TextGuard } from '../../../src/guard/text-guard.ts'
import { atOnce, inTurns } from '../../../src/guard/turns.ts'

const EMAIL = 'jane.doe@example.com'
const KEY = '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----'
/** Matches across the borders of slices, an open-ended one included, and near-matches. */
const TEXT = [
  'x'.repeat(4090),
  EMAIL,
  ' '.repeat(3000),
  KEY,
  '1.1.1.1.'.repeat(600),
  ` card 4111 1111 1111 1111, `,
  'a'.repeat(4070),
  ' ',
  EMAIL,
].join('')

function guardOf(action: GuardAction): TextGuard {
  const compiled = compileSide(byGroup(BUILT_IN_RULES, { pii: action, secrets: action }))
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.faults))
  return new TextGuard(compiled.side)
}

const rules = (() => {
  const compiled = compileSide(byGroup(BUILT_IN_RULES, { pii: 'redact', secrets: 'redact' }))
  if (!compiled.ok || !compiled.side.enforced) throw new Error('no rules')
  return compiled.side.enforced
})()

const patient = { now: () => 0, isOver: () => false }

describe('a text that is looked through in turns', () => {
  test('has the same matches as at once', async () => {
    const found = await inTurns(findAllInSteps(rules, TEXT), patient)
    expect(found?.map(({ rule: { name } }) => name)).toEqual(['EMAIL', 'PRIVATE_KEY', 'CREDIT_CARD', 'EMAIL'])
    expect(found).toEqual(findAll(rules, TEXT))
  })

  test.each<GuardAction>(['flag', 'redact', 'block'])('is treated the same: %s', action => {
    const [one, other] = [guardOf(action), guardOf(action)]
    const found = atOnce(other.find(TEXT))
    expect(other.tally()).toEqual([])
    expect(other.whole(TEXT, found)).toBe(one.whole(TEXT))
    expect(other.tally()).toEqual(one.tally())
    expect(other.blocked?.name).toBe(one.blocked?.name)
    expect(atOnce(guardOf(action).inSteps(TEXT))).toBe(guardOf(action).whole(TEXT))
  })

  test('lets others have their turn when its own has taken long', async () => {
    let time = 0
    let others = 0
    const other = setInterval(() => others++)
    // Each look at the clock finds 10 ms gone.
    await inTurns(findAllInSteps(rules, TEXT), { now: () => (time += 10), isOver: () => false })
    clearInterval(other)
    expect(others).toBeGreaterThan(1)
  })

  test('is given up when nobody waits for it any more', async () => {
    let steps = 0
    const counted = (function* () {
      for (const _ of findAllInSteps(rules, TEXT)) yield void steps++
    })()
    expect(await inTurns(counted, { now: () => 0, isOver: () => steps === 2 })).toBeNull()
    expect(steps).toBe(2)
  })
})
