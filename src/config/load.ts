import * as v from 'valibot'
import { crossCheck, warnings } from './checks.ts'
import { clientTlsFaults } from './client-tls.ts'
import type { Config, StateLocation, TokensConfig } from './config.ts'
import { readDictionaries } from './dictionaries.ts'
import { at, type Fault } from './fault.ts'
import { forwardFaults } from './forward-checks.ts'
import { resolveForward } from './forward-schema.ts'
import { override } from './overrides.ts'
import { parseYaml } from './parse.ts'
import { resolve, resolveState, resolveTokens } from './resolve.ts'
import { AUDIT_FILE_DOCUMENT, DOCUMENT, FORWARD_DOCUMENT, STATE_DOCUMENT } from './schema.ts'
import { type Sources, substitute } from './substitute.ts'
import { tokenFaults } from './token-checks.ts'
import { TOKENS } from './tokens-schema.ts'
import { NO_MAPPING, unknownKeys } from './unknown-keys.ts'

export type LoadResult =
  | {
      readonly ok: true
      readonly config: Config
      readonly warnings: readonly Fault[]
    }
  | { readonly ok: false; readonly faults: readonly Fault[] }

export type StateResult =
  | { readonly ok: true; readonly state: StateLocation }
  | { readonly ok: false; readonly faults: readonly Fault[] }

export type AuditFileResult =
  | { readonly ok: true; readonly file: string }
  | { readonly ok: false; readonly faults: readonly Fault[] }

export type ForwardingResult =
  | { readonly ok: true; readonly audit: Pick<Config['audit'], 'file' | 'forward'> }
  | { readonly ok: false; readonly faults: readonly Fault[] }

export type TokensResult =
  | { readonly ok: true; readonly tokens: TokensConfig }
  | { readonly ok: false; readonly faults: readonly Fault[] }

/**
 * Reads a configuration: YAML, then the environment's overrides, then `${…}`, then the schema, then the dictionaries'
 * files and what the schema cannot see. All faults of a step are reported together.
 */
export async function loadConfig(text: string, sources: Sources): Promise<LoadResult> {
  const parsed = parseYaml(text)
  if (!parsed.ok) return parsed
  // Without an audit section it is the secret in it that is missing; say so.
  const { document, variables } = override({ audit: {}, ...parsed.document }, sources.env)
  const checked = await validate(DOCUMENT, document, sources)
  if (!checked.ok) return { ok: false, faults: named(checked.faults, variables) }
  const read = await readDictionaries(checked.value, sources)
  const config = resolve(read.document, sources.resolvePath)
  const faults = crossCheck(read.document, config, read.faults)
  if (faults.length > 0) return { ok: false, faults: named(faults, variables) }
  return { ok: true, config, warnings: warnings(read.document, config) }
}

/** Reads the tokens part alone: minting a token needs none of the gateway's secrets. Other parts are not looked at. */
export async function loadTokens(text: string, sources: Sources): Promise<TokensResult> {
  const parsed = parseYaml(text)
  if (!parsed.ok) return parsed
  const checked = await validate(TOKENS, parsed.document.tokens ?? {}, sources, 'tokens')
  if (!checked.ok) return checked
  const faults = tokenFaults(checked.value)
  return faults.length > 0
    ? { ok: false, faults }
    : { ok: true, tokens: resolveTokens(checked.value, sources.resolvePath) }
}

/** Reads where the state is, and nothing else. */
export async function loadState(text: string, sources: Sources): Promise<StateResult> {
  const parsed = parseYaml(text)
  if (!parsed.ok) return parsed
  const { document, variables } = override(parsed.document, sources.env)
  const checked = await validate(STATE_DOCUMENT, 'state' in document ? { state: document['state'] } : {}, sources)
  if (!checked.ok) return { ok: false, faults: named(checked.faults, variables) }
  return { ok: true, state: resolveState(checked.value.state, sources.resolvePath) }
}

/** Reads where the audit log is, and nothing else. */
export async function loadAuditFile(text: string, sources: Sources): Promise<AuditFileResult> {
  const parsed = parseYaml(text)
  if (!parsed.ok) return parsed
  const { audit } = parsed.document as { audit?: { file?: unknown } | null }
  const part = audit?.file === undefined ? {} : { file: audit.file }
  const checked = await validate(AUDIT_FILE_DOCUMENT, part, sources, 'audit')
  return checked.ok ? { ok: true, file: sources.resolvePath(checked.value.file) } : checked
}

/** Reads where the audit log is and where it is sent: a process that only sends it needs none of the gateway's secrets. */
export async function loadForwarding(text: string, sources: Sources): Promise<ForwardingResult> {
  const parsed = parseYaml(text)
  if (!parsed.ok) return parsed
  const { file, forward } = (parsed.document as { audit?: { file?: unknown; forward?: unknown } | null }).audit ?? {}
  const part = { ...(file !== undefined && { file }), ...(forward !== undefined && { forward }) }
  const checked = await validate(FORWARD_DOCUMENT, part, sources, 'audit')
  if (!checked.ok) return checked
  const { value } = checked
  const servers = { models: [], guard: {}, audit: value }
  const faults = [...forwardFaults(value.forward), ...clientTlsFaults(servers)]
  if (faults.length > 0) return { ok: false, faults }
  const { resolvePath } = sources
  const destinations = value.forward.map(destination => resolveForward(destination, resolvePath))
  return { ok: true, audit: { file: resolvePath(value.file), forward: destinations } }
}

type Checked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly faults: readonly Fault[] }

async function validate<T extends v.GenericSchema>(
  schema: T,
  document: unknown,
  sources: Sources,
  path = '',
): Promise<Checked<v.InferOutput<T>>> {
  const { value, faults: missing } = await substitute(document, sources, path)
  const result = v.safeParse(schema, value)
  const unknown = unknownKeys(schema, value, path)
  const lists = unknown.filter(({ reason }) => reason === NO_MAPPING)
  // What could not be replaced is not also reported as ill-formed, nor are the entries of a list in place of a mapping.
  const isReported = ({ path: place }: Fault) =>
    missing.some(other => other.path === place) || lists.some(list => place.startsWith(`${list.path}.`))
  const faults = [...missing, ...unknown]
  for (const issue of result.issues ?? []) {
    const fault = describe(issue, path)
    if (fault !== undefined && !isReported(fault)) faults.push(fault)
  }
  return result.success && faults.length === 0 ? { ok: true, value: result.output } : { ok: false, faults }
}

/** Undefined for unknown keys, which `unknownKeys` reports with a suggestion. Valibot's own messages repeat values. */
function describe(issue: v.BaseIssue<unknown>, base: string): Fault | undefined {
  if (issue.type === 'strict_object' && issue.expected === 'never') return undefined
  let path = base
  for (const { key } of issue.path ?? []) path = at(path, key as string | number)
  if (issue.type !== 'strict_object') return { path, reason: issue.message }
  return { path, reason: issue.expected === 'Object' ? NO_MAPPING : 'is required' }
}

/** Says where a value came from that stands in no file. */
function named(faults: readonly Fault[], variables: ReadonlyMap<string, string>): Fault[] {
  return faults.map(({ path, reason }) => {
    const variable = variables.get(path)
    return { path, reason: variable === undefined ? reason : `${reason} (from the environment variable ${variable})` }
  })
}
