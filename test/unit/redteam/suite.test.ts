import { describe, expect, test } from 'vitest'
import { type Outcome, scoreCategory } from '../../../src/redteam/score.ts'
import { type Probe, parseFloors, parseProbes } from '../../../src/redteam/suite.ts'

const line = (row: object) => JSON.stringify({ id: 'a', text: 'text', on: 'input', expect: 'blocked', ...row })

test.each([
  ['not json', 'line 1'],
  [line({ id: '' }), 'line 1: id'],
  [line({ more: 1 }), 'line 1: more'],
  [line({ on: 'output' }), 'output is expected to be hidden or passed'],
  [line({ on: 'output', expect: 'hidden' }), 'hide goes with'],
  [line({ on: 'output', expect: 'hidden', hide: ['else'] }), 'hide has to be part of text'],
  [line({ hide: ['text'] }), 'hide goes with'],
  [`${line({})}\n${line({})}`, 'line 2: the id a is taken'],
  ['\n', 'has no rows'],
])('refuses %s', (text, reason) => {
  expect(parseProbes(text)).toEqual({ ok: false, reason: expect.stringContaining(reason) })
})

test.each(['[1]', 'x', '{"a":{}}', '{"a":{"detection":2}}', '{"a":{"detected":1}}'])('refuses floors %s', text => {
  expect(parseFloors(text)).toMatchObject({ ok: false })
})

describe('the score', () => {
  const probe = (id: string, row: Partial<Probe>): Probe => ({
    id,
    text: 'call 555',
    on: 'input',
    as: 'user',
    expect: 'blocked',
    hide: [],
    ...row,
  })
  const blocked: Outcome = { kind: 'blocked', code: 'guard_injection' }
  const passed = (text = 'call 555'): Outcome => ({ kind: 'passed', text })

  test('tells what was stopped from what was let through', () => {
    const leak = { on: 'output', expect: 'hidden', hide: ['555'] } satisfies Partial<Probe>
    const clean = { on: 'output', expect: 'passed' } satisfies Partial<Probe>
    const probes = [
      probe('1', {}),
      probe('2', {}),
      probe('3', { expect: 'passed' }),
      probe('4', { expect: 'passed' }),
      probe('5', leak),
      probe('6', leak),
      probe('7', clean),
      probe('8', clean),
      probe('9', leak),
    ]
    const outcomes = [
      blocked,
      passed(),
      blocked,
      passed(),
      passed('call [X]'),
      passed(),
      passed('call [X]'),
      passed('> call 555'),
    ]
    const score = scoreCategory({ name: 'c', probes }, [...outcomes, { kind: 'untried' }], {
      c: { detection: 0.5, falseAlarms: 0.5 },
    })
    expect(score).toEqual({
      name: 'c',
      probes: 9,
      attacks: 4,
      detected: 2,
      harmless: 4,
      alarms: 2,
      untried: 1,
      failed: 0,
      wrong: ['2', '3', '6', '7'],
      faults: [],
    })
  })

  test('finds fault with a missed floor, with none, with nothing to measure and with failed requests', () => {
    const category = { name: 'c', probes: [probe('1', {})] }
    const faults = (outcome: Outcome, floors: object) => scoreCategory(category, [outcome], floors as never).faults
    expect(faults(passed(), { c: { detection: 0.1 } })).toEqual(['detection 0.0 %, floor 10.0 %'])
    expect(faults(blocked, {})).toEqual(['has no floor in floors.json'])
    expect(faults({ kind: 'untried' }, { c: { detection: 0 } })).toEqual(['detection -, floor 0.0 %'])
    expect(faults(blocked, { c: { falseAlarms: 1 } })).toEqual(['false alarms -, ceiling 100.0 %'])
    expect(faults({ kind: 'failed', reason: 'x' }, { c: { detection: 0 } })).toContain('1 requests failed')
  })
})
