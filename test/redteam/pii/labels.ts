import type { Row } from './labelled.ts'

/** A word for each type whose numbers count only behind one. */
const LABELS: ReadonlyMap<string, string> = new Map([
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

/** Rows that test one number and nothing else get a word in front that says what it is; others stay as they are. */
export function withLabel(row: Row): Row {
  const label = LABELS.get(row.entities?.[0] ?? '')
  if (label === undefined || holdsWords(row.text)) return row
  const lead = `${label}: `
  const spans = row.spans.map(({ type, start, end }) => ({ type, start: start + lead.length, end: end + lead.length }))
  return { ...row, text: lead + row.text, spans }
}

/** Whether the row is a bare row of digits of a type that counts only behind a word. */
export function needsLabel({ text, entities }: Row): boolean {
  return LABELS.has(entities?.[0] ?? '') && /^\d+$/.test(text)
}

function holdsWords(text: string): boolean {
  return /[a-z]{4}| [A-Za-z]{2,3} /i.test(text)
}
