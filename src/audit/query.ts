/** A record as it is read back. */
export type ReadBack = Readonly<Record<string, unknown>>

/** What records are asked for; everything that is given has to hold. Values of one list are alternatives. */
export interface AuditQuery {
  /** Milliseconds since the epoch: from, and up to but not at. */
  readonly since?: number | undefined
  readonly until?: number | undefined
  /** Members that have to be one of these texts. */
  readonly members: Readonly<Partial<Record<QueryMember, readonly string[]>>>
  readonly status?: readonly string[] | undefined
  /** Names of rules or groups of them (`PII_EMAIL`, `*` for any) that found something. */
  readonly finding?: readonly string[] | undefined
}

export type QueryMember =
  | 'team'
  | 'app'
  | 'env'
  | 'model'
  | 'outcome'
  | 'tokenId'
  | 'requestId'
  | 'errorCode'
  | 'promptHmac'
  | 'action'

/** Looks through lines: `undefined` for one that is not asked for. */
export type Matcher = (line: string) => ReadBack | undefined

/**
 * Compiles a query. Lines that lack a text that must be in them are passed over unparsed. A line that is no JSON is no
 * record, and found by `audit verify`, not here. Records of beginnings are left out unless their outcome is asked for: the
 * record of the end says all of it.
 */
export function createMatcher(query: AuditQuery): Matcher {
  const { since = Number.NEGATIVE_INFINITY, until = Number.POSITIVE_INFINITY, status, finding } = query
  const members = Object.entries(query.members).filter(([, values]) => values !== undefined && values.length > 0)
  // As canonical JSON writes them, so that the text is there if the value is.
  const needles = members.map(([name, values]) =>
    values.map(value => `${JSON.stringify(name)}:${JSON.stringify(value)}`),
  )
  const hidesBegun = query.members.outcome === undefined

  return line => {
    for (const alternatives of needles) if (!alternatives.some(needle => line.includes(needle))) return undefined
    if (finding !== undefined && line.includes('"guard":[]')) return undefined
    if (hidesBegun && line.includes('"outcome":"begun"')) return undefined
    const record = parsed(line)
    if (record === undefined) return undefined
    if (!members.every(([name, values]) => values.includes(record[name] as string))) return undefined
    if (status !== undefined && !status.some(pattern => isStatus(record['status'], pattern))) return undefined
    if (finding !== undefined && !finding.some(rule => hasFinding(record, rule))) return undefined
    const time = Date.parse(String(record['time']))
    return time >= since && time < until ? record : undefined
  }
}

/** `429`, or `4xx` for all that begin so. */
function isStatus(status: unknown, pattern: string): boolean {
  const text = String(status)
  return /^[1-5]xx$/.test(pattern) ? text[0] === pattern[0] : text === pattern
}

/** What a record says was found. */
export function findingsOf(record: ReadBack): { readonly rule: string; readonly action: string }[] {
  const { guard } = record
  if (!Array.isArray(guard)) return []
  return guard.map((finding: Partial<Record<string, unknown>> | null) => ({
    rule: String(finding?.['rule']),
    action: String(finding?.['action']),
  }))
}

function hasFinding(record: ReadBack, wanted: string): boolean {
  return findingsOf(record).some(({ rule }) => wanted === '*' || rule.toLowerCase() === wanted.toLowerCase())
}

function parsed(line: string): ReadBack | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as ReadBack) : undefined
  } catch {
    return undefined
  }
}
