import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { BUILT_IN_RULES } from '../../src/guard/recognisers/index.ts'
import { addScores, compiled, rates, type Score, type Span, spansOf } from '../support/spans.ts'

/** The data's names where a rule of personal data has another; every rule of secrets is for a SECRET. */
const TYPES = new Map([
  ['EMAIL', 'EMAIL_ADDRESS'],
  ['PHONE', 'PHONE_NUMBER'],
  ['IBAN', 'IBAN_CODE'],
  ['BITCOIN_ADDRESS', 'CRYPTO'],
  ['ETHEREUM_ADDRESS', 'CRYPTO'],
  ['CRYPTO_ADDRESS', 'CRYPTO'],
])

const GENERAL_TYPES = new Set(['EMAIL_ADDRESS', 'PHONE_NUMBER', 'CREDIT_CARD', 'US_SSN', 'IBAN_CODE', 'IP_ADDRESS'])

interface Row {
  readonly id: string
  readonly text: string
  readonly spans: readonly Span[]
}

const rules = compiled(BUILT_IN_RULES)
const SECRETS = new Set(BUILT_IN_RULES.filter(({ group }) => group === 'secrets').map(({ name }) => name))

function rowsOf(file: string): Row[] {
  const lines = readFileSync(new URL(`../data/pii/${file}.jsonl`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
  return lines.map(line => JSON.parse(line) as Row)
}

/** A word for the types whose numbers count only behind one. */
const LABELS = new Map([
  ['ABA_ROUTING_NUMBER', 'Routing number'],
  ['AU_ABN', 'ABN'],
  ['AU_ACN', 'ACN'],
  ['AU_MEDICARE', 'Medicare number'],
  ['AU_TFN', 'TFN'],
  ['CA_SIN', 'SIN'],
  ['DE_BSNR', 'BSNR'],
  ['DE_FUEHRERSCHEIN', 'Führerschein'],
  ['DE_HEALTH_INSURANCE', 'Krankenversichertennummer'],
  ['DE_ID_CARD', 'Personalausweis'],
  ['DE_KFZ', 'Kennzeichen'],
  ['DE_LANR', 'LANR'],
  ['DE_PASSPORT', 'Reisepass Nr.'],
  ['DE_TAX_ID', 'Steuer-ID'],
  ['DE_TAX_NUMBER', 'Steuernummer'],
  ['DE_VAT_ID', 'USt-IdNr.'],
  ['ES_PASSPORT', 'Pasaporte'],
  ['IN_AADHAAR', 'Aadhaar number'],
  ['IN_PAN', 'PAN'],
  ['IN_PASSPORT', 'Passport number'],
  ['IN_VEHICLE_REGISTRATION', 'Vehicle registration'],
  ['IN_VOTER', 'Voter ID'],
  ['IT_DRIVER_LICENSE', 'Patente di guida'],
  ['IT_IDENTITY_CARD', "Carta d'identità"],
  ['IT_PASSPORT', 'Passaporto'],
  ['IT_VAT_CODE', 'Partita IVA'],
  ['KR_BRN', 'BRN'],
  ['KR_DRIVER_LICENSE', 'Driver license'],
  ['KR_FRN', 'FRN'],
  ['KR_PASSPORT', 'Korean passport'],
  ['KR_RRN', 'RRN'],
  ['MEDICAL_LICENSE', 'DEA number'],
  ['NG_NIN', 'NIN'],
  ['NG_VEHICLE_REGISTRATION', 'Plate number'],
  ['PH_TIN', 'TIN'],
  ['PL_PESEL', 'PESEL'],
  ['SE_ORGANISATIONSNUMMER', 'Organisationsnummer'],
  ['SE_PERSONNUMMER', 'Personnummer'],
  ['SG_NRIC_FIN', 'NRIC'],
  ['SG_UEN', 'UEN'],
  ['TH_TNIN', 'Thai ID'],
  ['TR_LICENSE_PLATE', 'Plaka'],
  ['TR_NATIONAL_ID', 'TC Kimlik No'],
  ['UK_NHS', 'NHS number'],
  ['UK_PASSPORT', 'Passport number'],
  ['UK_VEHICLE_REGISTRATION', 'Number plate'],
  ['US_BANK_NUMBER', 'Account number'],
  ['US_DRIVER_LICENSE', "Driver's license"],
  ['US_ITIN', 'ITIN'],
  ['US_NPI', 'NPI'],
  ['US_PASSPORT', 'Passport number'],
  ['US_SSN', 'SSN'],
])

interface PresidioRow extends Row {
  readonly entity: string
}

/** The cases that are a number and nothing else, and those of types that need no word. */
function presidioRows(): PresidioRow[] {
  const lines = readFileSync(new URL('../data/pii/presidio-recognisers.jsonl', import.meta.url), 'utf8')
    .trim()
    .split('\n')
  const rows = lines.map(line => JSON.parse(line) as PresidioRow)
  return rows.filter(({ entity, text }) => !LABELS.has(entity) || !/[a-z]{4}| [A-Za-z]{2,3} /i.test(text))
}

function found(text: string): Span[] {
  return spansOf(text, rules).map(span => ({
    ...span,
    type: SECRETS.has(span.type) ? 'SECRET' : (TYPES.get(span.type) ?? span.type),
  }))
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
    expect(rates(...scores.values()).f1).toBeGreaterThanOrEqual(0.975)
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
    expect(alarms.length / negatives.length).toBeLessThanOrEqual(0.13)
    const { recall } = rates(...score('gitleaks-cases', type => type === 'SECRET').values())
    expect(recall).toBeGreaterThanOrEqual(0.95)
  })

  it("tell the numbers of Presidio's unit tests apart, a word in front of those that need one", () => {
    const scores = new Map<string, Score>()
    for (const { entity, text, spans } of presidioRows()) {
      const label = LABELS.get(entity)
      const lead = label === undefined ? '' : `${label}: `
      const gold = spans.map(span => ({ type: entity, start: span.start + lead.length, end: span.end + lead.length }))
      addScores(
        scores,
        gold,
        found(lead + text).filter(({ type }) => type === entity),
      )
    }
    expect(scores.size).toBeGreaterThan(50)
    const { precision, recall } = rates(...scores.values())
    expect(precision).toBeGreaterThanOrEqual(0.97)
    expect(recall).toBeGreaterThanOrEqual(0.93)
  })

  it('need that word: bare numbers with one check digit are left alone', () => {
    const bare = presidioRows().filter(({ entity, text }) => LABELS.has(entity) && /^\d+$/.test(text))
    const alarms = bare.filter(({ entity, text }) => found(text).some(({ type }) => type === entity))
    expect(bare.length).toBeGreaterThan(100)
    expect(alarms.map(({ id }) => id)).toEqual([])
  })
})
