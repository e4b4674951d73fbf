import { describe, expect, it } from 'vitest'
import { rates } from '../support/spans.ts'
import { finder } from './pii/labelled.ts'
import { needsLabel } from './pii/labels.ts'
import { evaluateSet, setNamed } from './pii/sets.ts'

const scored = (name: string) => evaluateSet(setNamed(name))

/** Floors of what `npm run eval:pii` prints. */
describe('the recognisers on labelled texts (spans, overlap of at least 0.75)', () => {
  it('find nearly all and little else in texts as models write them', () => {
    const { types, any } = scored('llm-outputs')
    expect(rates(any).precision).toBeGreaterThanOrEqual(0.995)
    expect(rates(any).recall).toBeGreaterThanOrEqual(0.995)
    for (const [type, each] of types) {
      expect(rates(each).precision, type).toBeGreaterThanOrEqual(0.98)
      expect(rates(each).recall, type).toBeGreaterThanOrEqual(0.98)
    }
  })

  it("do so in Presidio's generated sentences", () => {
    const { types } = scored('presidio-generated')
    expect(rates(...types.values()).f1).toBeGreaterThanOrEqual(0.975)
    for (const [type, each] of types) {
      expect(rates(each).f1, type).toBeGreaterThanOrEqual(type === 'PHONE_NUMBER' ? 0.92 : 0.99)
    }
  })

  it("know the providers' key formats", () => {
    const { any } = scored('secrets-synthetic')
    expect(rates(any).precision).toBeGreaterThanOrEqual(0.995)
    expect(rates(any).recall).toBeGreaterThanOrEqual(0.98)
  })

  it("raise few false alarms on gitleaks' counter-examples", () => {
    const { any, clean, flagged } = scored('gitleaks-cases')
    expect(clean).toBeGreaterThan(250)
    expect(flagged / clean).toBeLessThanOrEqual(0.09)
    expect(rates(any).recall).toBeGreaterThanOrEqual(0.95)
  })

  it("tell the numbers of Presidio's unit tests apart, a word in front of those that need one", () => {
    const { types } = scored('presidio-recognisers, labelled')
    expect(types.size).toBeGreaterThan(50)
    expect(rates(...types.values()).precision).toBeGreaterThanOrEqual(0.97)
    expect(rates(...types.values()).recall).toBeGreaterThanOrEqual(0.9)
  })

  it('need that word: bare numbers with one check digit are left alone', () => {
    const find = finder()
    const bare = setNamed('presidio-recognisers').rows().filter(needsLabel)
    const alarms = bare.filter(({ text, entities }) => find(text).some(({ type }) => entities?.includes(type)))
    expect(bare.length).toBeGreaterThan(100)
    expect(alarms.map(({ id }) => id)).toEqual([])
  })

  it('find what fresh texts hold, and hardly anything in lines that only look alike', () => {
    const { types, any } = scored('synthetic')
    expect(rates(...types.values()).f1).toBeGreaterThanOrEqual(0.99)
    expect(rates(any).recall).toBeGreaterThanOrEqual(0.995)
    const noise = scored('synthetic noise')
    expect(noise.flagged / noise.clean).toBeLessThanOrEqual(0.01)
  })
})
