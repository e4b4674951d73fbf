import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { BUILT_IN_RULES } from '../../src/guard/recognisers/index.ts'
import { addScores, compiled, rates, type Score, type Span, spansOf } from '../support/spans.ts'

/** The data's names of the rules' types; every other rule is for a SECRET. */
const TYPES = new Map([
  ['EMAIL', 'EMAIL_ADDRESS'],
  ['PHONE', 'PHONE_NUMBER'],
  ['CREDIT_CARD', 'CREDIT_CARD'],
  ['IBAN', 'IBAN_CODE'],
  ['US_SSN', 'US_SSN'],
  ['US_ITIN', 'US_ITIN'],
  ['IP_ADDRESS', 'IP_ADDRESS'],
  ['MAC_ADDRESS', 'MAC_ADDRESS'],
  ['UK_NHS', 'UK_NHS'],
  ['UK_NINO', 'UK_NINO'],
  ['BITCOIN_ADDRESS', 'CRYPTO'],
  ['ETHEREUM_ADDRESS', 'CRYPTO'],
])

const GENERAL_TYPES = new Set(['EMAIL_ADDRESS', 'PHONE_NUMBER', 'CREDIT_CARD', 'US_SSN', 'IBAN_CODE', 'IP_ADDRESS'])

interface Row {
  readonly id: string
  readonly text: string
  readonly spans: readonly Span[]
}

const rules = compiled(BUILT_IN_RULES)

function rowsOf(file: string): Row[] {
  const lines = readFileSync(new URL(`../data/pii/${file}.jsonl`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
  return lines.map(line => JSON.parse(line) as Row)
}

function found(text: string): Span[] {
  return spansOf(text, rules).map(span => ({ ...span, type: TYPES.get(span.type) ?? 'SECRET' }))
}

function score(file: string, counts: (type: string) => boolean = () => true): Map<string, Score> {
  const scores = new Map<string, Score>()
  for (const { text, spans } of rowsOf(file)) {
    addScores(
      scores,
      spans.filter(({ type }) => counts(type)),
      found(text).filter(({ type }) => counts(type)),
    )
  }
  return scores
}

describe('the recognisers on labelled texts (spans, overlap of at least 0.75)', () => {
  it('find nearly all and little else in texts as models write them', () => {
    const scores = score('llm-outputs')
    const { precision, recall } = rates(...scores.values())
    expect(precision).toBeGreaterThanOrEqual(0.99)
    expect(recall).toBeGreaterThanOrEqual(0.99)
    for (const [type, each] of scores) {
      expect(rates(each).precision, type).toBeGreaterThanOrEqual(0.97)
      expect(rates(each).recall, type).toBeGreaterThanOrEqual(0.97)
    }
  })

  it("do so in Presidio's generated sentences", () => {
    const scores = score('presidio-generated', type => GENERAL_TYPES.has(type))
    expect(rates(...scores.values()).f1).toBeGreaterThanOrEqual(0.96)
    for (const [type, each] of scores) expect(rates(each).f1, type).toBeGreaterThanOrEqual(0.92)
  })

  it("know the providers' key formats", () => {
    const { precision, recall } = rates(...score('secrets-synthetic', type => type === 'SECRET').values())
    expect(precision).toBeGreaterThanOrEqual(0.99)
    expect(recall).toBeGreaterThanOrEqual(0.97)
  })

  it("raise few false alarms on gitleaks' counter-examples", () => {
    const negatives = rowsOf('gitleaks-cases').filter(({ spans }) => spans.length === 0)
    const alarms = negatives.filter(({ text }) => found(text).some(({ type }) => type === 'SECRET'))
    expect(negatives.length).toBeGreaterThan(250)
    expect(alarms.length / negatives.length).toBeLessThanOrEqual(0.14)
    const { recall } = rates(...score('gitleaks-cases', type => type === 'SECRET').values())
    expect(recall).toBeGreaterThanOrEqual(0.84)
  })
})
