import metadata from 'libphonenumber-js/min/metadata'

/**
 * Numbering plans out of libphonenumber's metadata, read once and asked with one compiled expression a region. The library's
 * own parser takes some ten microseconds a call; a hostile text may offer a dozen candidates every few characters.
 */

/** Regions whose national forms (without `+`) are recognised. */
const NATIONAL_REGIONS = [
  [
    'AR',
    'AT',
    'AU',
    'BE',
    'BG',
    'BR',
    'CH',
    'CL',
    'CN',
    'CO',
    'CZ',
    'DE',
    'DK',
    'EE',
    'EG',
    'ES',
    'FI',
    'FR',
    'GB',
    'GR',
  ],
  [
    'HK',
    'HR',
    'HU',
    'ID',
    'IE',
    'IL',
    'IN',
    'IS',
    'IT',
    'JP',
    'KE',
    'KR',
    'LT',
    'LU',
    'LV',
    'MX',
    'MY',
    'NG',
    'NL',
    'NO',
  ],
  [
    'NZ',
    'PH',
    'PK',
    'PL',
    'PT',
    'RO',
    'RS',
    'SA',
    'SE',
    'SG',
    'SI',
    'SK',
    'TH',
    'TR',
    'TW',
    'UA',
    'US',
    'VN',
    'ZA',
    'AE',
  ],
].flat()

interface Plan {
  readonly lengths: ReadonlySet<number>
  readonly national: RegExp
  readonly prefix: string
}

/** Positions in a region's record of metadata version 4: calling code, IDD prefix, pattern, lengths, formats, prefix. */
const PATTERN_FIELD = 2
const LENGTHS_FIELD = 3
const PREFIX_FIELD = 5

const RECORDS: ReadonlyMap<string, unknown> = new Map(Object.entries(metadata.countries))
const CALLING_CODES: ReadonlyMap<string, readonly string[]> = new Map(Object.entries(metadata.country_calling_codes))

const plans = new Map<string, Plan | undefined>()

function planOf(region: string): Plan | undefined {
  if (plans.has(region)) return plans.get(region)
  const plan = readPlan(region)
  plans.set(region, plan)
  return plan
}

function readPlan(region: string): Plan | undefined {
  const record = RECORDS.get(region)
  if (!Array.isArray(record)) return undefined
  const fields: readonly unknown[] = record
  const pattern = fields[PATTERN_FIELD]
  const lengths = fields[LENGTHS_FIELD]
  const prefix = fields[PREFIX_FIELD]
  if (typeof pattern !== 'string' || !Array.isArray(lengths)) return undefined
  return {
    lengths: new Set(lengths.filter(length => typeof length === 'number')),
    national: new RegExp(`^(?:${pattern})$`),
    prefix: typeof prefix === 'string' ? prefix : '',
  }
}

/** Whether the digits begin with a country's calling code and have a length that one of its numbers can have. */
export function isPossibleInternational(digits: string): boolean {
  for (let size = 1; size <= 3; size++) {
    const regions = CALLING_CODES.get(digits.slice(0, size))
    if (regions === undefined) continue
    return regions.some(region => planOf(region)?.lengths.has(digits.length - size) ?? false)
  }
  return false
}

/** Whether the digits are a national number, with its national prefix if the plan has one, of a recognised region. */
export function isNationalNumber(digits: string): boolean {
  return NATIONAL_REGIONS.some(region => {
    const plan = planOf(region)
    if (plan === undefined) return false
    const number = plan.prefix !== '' && digits.startsWith(plan.prefix) ? digits.slice(plan.prefix.length) : digits
    return plan.lengths.has(number.length) && plan.national.test(number)
  })
}
