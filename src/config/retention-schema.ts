import * as v from 'valibot'
import { type RetentionPolicy, shortestKeep } from '../audit/retention.ts'
import { CALLERS } from './callers-schema.ts'
import { list, quantity, text } from './fields.ts'
import {
  DEFAULT_RETENTION_EVERY_MS,
  MAX_RETENTION_EVERY_MS,
  MAX_RETENTION_MS,
  MIN_AUDIT_FILE_AGE_MS,
  MIN_RETENTION_EVERY_MS,
  MIN_RETENTION_MS,
} from './limits.ts'
import { formatQuantity } from './units.ts'

const described = v.description
const keep = () => quantity('duration', MIN_RETENTION_MS, MAX_RETENTION_MS)

/** The keys of `audit` about how long records are kept. */
export const AUDIT_RETENTION = {
  retention: v.exactOptional(
    v.pipe(keep(), described('How long records are kept that no rule is about (default: for ever).')),
  ),
  retentionRules: v.optional(
    v.pipe(
      list(
        v.strictObject({
          match: v.pipe(CALLERS, described('Which records.')),
          keep: v.pipe(keep(), described('For how long.')),
        }),
      ),
      described('How long some records are kept: the first rule that fits counts.'),
    ),
    [],
  ),
  retentionEvery: v.optional(
    v.pipe(
      quantity('duration', MIN_RETENTION_EVERY_MS, MAX_RETENTION_EVERY_MS),
      described('How often the gateway deletes what is due.'),
    ),
    formatQuantity('duration', DEFAULT_RETENTION_EVERY_MS),
  ),
  holds: v.exactOptional(
    v.pipe(text(), described('The file of legal holds (default: beside the log). Named here, it has to be there.')),
  ),
}

type RetentionDocument = v.InferOutput<v.StrictObjectSchema<typeof AUDIT_RETENTION, undefined>>

/** What is kept for how long; what is held is said in a file of its own. */
export interface RetentionConfig {
  readonly policy: RetentionPolicy
  readonly everyMs: number
  /** Absolute path of the legal holds. */
  readonly holds: string
  /** Whether the configuration names it: then nothing is deleted while it is missing. */
  readonly holdsMustExist: boolean
}

/** Undefined where everything is kept for ever. The document is a valid one. */
export function resolveRetention(
  { retention, retentionRules, retentionEvery, holds }: RetentionDocument,
  log: string,
  resolvePath: (path: string) => string,
): RetentionConfig | undefined {
  if (retention === undefined && retentionRules.length === 0) return undefined
  return {
    policy: {
      rules: retentionRules.map(({ match, keep: keepMs }) => ({
        match: Object.fromEntries(Object.entries(match).map(([key, values]) => [key, [values].flat()])),
        keepMs,
      })),
      ...(retention !== undefined && { keepMs: retention }),
    },
    everyMs: retentionEvery,
    holds: holds === undefined ? `${log}.holds.json` : resolvePath(holds),
    holdsMustExist: holds !== undefined,
  }
}

/**
 * Only full files are deleted from, so one may not stay open for as long as its records are kept: by default it is full after
 * a tenth of that, a day at most.
 */
export function fileAgeFor({ policy }: RetentionConfig): number | undefined {
  const shortest = shortestKeep(policy)
  return shortest === undefined ? undefined : Math.max(MIN_AUDIT_FILE_AGE_MS, Math.min(DAY_MS, shortest / 10))
}

const DAY_MS = 86_400_000
