import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LEAST_PART, LearnedInput, MOST_TIMES, type PromptKind } from '../../../src/quota/learned-input.ts'

const prose = (safe: number): PromptKind => ({ safe, characters: safe * 3, surplus: 'none' })

/** So many requests of which the model server counts `ratio` times the safe estimate. */
function teach(learned: LearnedInput, ratios: readonly number[], { team = 'blue', prompt = prose(1000) } = {}) {
  for (const ratio of ratios) learned.learn('m', team, prompt, Math.round(prompt.safe * ratio))
}

const times = (count: number, ratio: (index: number) => number) => Array.from({ length: count }, (_, i) => ratio(i))

describe('what is learnt of prompts', () => {
  test('nothing at first: the safe estimate stays', () => {
    const learned = new LearnedInput(10)
    expect(learned.tokens('m', 'blue', prose(1000))).toBeUndefined()
    teach(
      learned,
      times(63, () => 0.6),
    )
    expect(learned.tokens('m', 'blue', prose(1000))).toBeUndefined()
  })

  test('converges after 64 requests: to the highest of them and a tenth', () => {
    const learned = new LearnedInput(10)
    teach(
      learned,
      times(64, i => 0.55 + (i % 10) / 100),
    )
    expect(learned.tokens('m', 'blue', prose(1000))).toBeCloseTo(1000 * 0.64 * 1.1, -1)
    expect(learned.tokens('m', 'blue', prose(1500))).toBeCloseTo(1500 * 0.64 * 1.1, -1)
  })

  test('covers 99 of 100 of a stream that scatters, and reserves less than the safe estimate', () => {
    const learned = new LearnedInput(10)
    let seed = 7
    const random = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647
    let short = 0
    let reserved = 0
    for (let i = 0; i < 5000; i++) {
      const actual = Math.round(1000 * (0.6 + 0.05 * (random() + random() + random() + random() - 2)))
      const tokens = learned.tokens('m', 'blue', prose(1000)) ?? 1000
      if (tokens < actual) short++
      reserved += tokens
      learned.learn('m', 'blue', prose(1000), actual)
    }
    expect(short).toBeLessThan(50)
    expect(reserved / 5000).toBeLessThan(800)
  })

  test('too little is corrected with the next request, also before there is anything to lower', () => {
    const learned = new LearnedInput(10)
    teach(learned, [1.5])
    expect(learned.tokens('m', 'blue', prose(1000))).toBeCloseTo(1650, -1)
    teach(
      learned,
      times(128, () => 0.6),
    )
    teach(learned, [0.9])
    expect(learned.tokens('m', 'blue', prose(1000))).toBeCloseTo(990, -1)
  })

  test('an outlier is forgotten after two blocks', () => {
    const learned = new LearnedInput(10)
    teach(learned, [...times(64, () => 0.6), 3, ...times(127, () => 0.6)])
    expect(learned.tokens('m', 'blue', prose(1000))).toBeCloseTo(660, -1)
  })

  test('kinds of prompts are apart: prose says nothing about numbers, long ones, tools or media', () => {
    const learned = new LearnedInput(10)
    teach(
      learned,
      times(64, () => 0.6),
    )
    for (const other of [
      { safe: 1000, characters: 1000, surplus: 'none' },
      { safe: 100, characters: 300, surplus: 'none' },
      { safe: 4000, characters: 12_000, surplus: 'none' },
      { safe: 1000, characters: 3000, surplus: 'tools' },
      { safe: 1000, characters: 3000, surplus: 'media' },
    ] as const) {
      expect(learned.tokens('m', 'blue', other), JSON.stringify(other)).toBeUndefined()
    }
  })

  test('nobody changes what is reserved for others, by teaching low or high', () => {
    const learned = new LearnedInput(10)
    teach(
      learned,
      times(64, () => 0.7),
    )
    const before = learned.tokens('m', 'blue', prose(1000))
    for (const ratio of [0, 0.01, 1e12, Number.MAX_SAFE_INTEGER]) {
      teach(
        learned,
        times(1000, () => ratio),
        { team: 'hostile' },
      )
    }
    expect(learned.tokens('m', 'blue', prose(1000))).toBe(before)
    expect(learned.tokens('m', 'green', prose(1000))).toBeUndefined()
    expect(learned.tokens('other', 'blue', prose(1000))).toBeUndefined()
  })

  test('whoever trains it down or up is held within its bounds, whatever the order', () => {
    const ratio = fc.oneof(fc.double({ min: 0, max: 20, noNaN: true }), fc.constantFrom(0, 1e-9, 1, 1e15))
    fc.assert(
      fc.property(fc.array(ratio, { maxLength: 400 }), fc.integer({ min: 1, max: 100_000 }), (ratios, safe) => {
        const learned = new LearnedInput(10)
        teach(learned, ratios)
        const tokens = learned.tokens('m', 'blue', prose(safe)) ?? safe
        expect(tokens).toBeGreaterThanOrEqual(Math.min(safe, Math.ceil(safe * LEAST_PART)))
        expect(tokens).toBeLessThanOrEqual(Math.ceil(safe * MOST_TIMES))
      }),
    )
  })

  test('memory is bounded: the pair that was first seen goes first', () => {
    const learned = new LearnedInput(3)
    for (let i = 0; i < 10_000; i++) teach(learned, [2], { team: `team-${i}` })
    expect(learned.size).toBe(3)
    expect(learned.tokens('m', 'team-0', prose(1000))).toBeUndefined()
    expect(learned.tokens('m', 'team-9999', prose(1000))).toBeCloseTo(2200, -1)
  })
})
