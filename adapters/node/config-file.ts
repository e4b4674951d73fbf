import { access } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Fault } from '../../src/config/fault.ts'
import { MAX_CONFIG_CHARACTERS } from '../../src/config/limits.ts'
import {
  type AuditFileResult,
  type ForwardingResult,
  type LoadResult,
  loadAuditFile,
  loadConfig,
  loadForwarding,
  loadState,
  loadTokens,
  type StateResult,
  type TokensResult,
} from '../../src/config/load.ts'
import type { Environment, Sources } from '../../src/config/substitute.ts'
import { nodeHashing } from './hashing.ts'
import { readText } from './read-text.ts'

const DEFAULT_FILE = 'sallyport.yaml'
/** UTF-8 needs at most this much for a character. */
const BYTES_PER_CHARACTER = 4

/** Where a configuration comes from; `path` is absent when there is none and the defaults count. */
export interface ConfigLocation {
  readonly path?: string
  /** What relative paths in it are relative to. */
  readonly folder: string
}

/** The file of `--config`, else `sallyport.yaml` in the working folder, else `$SALLYPORT_CONFIG`, else none. */
export async function locateConfig(option: string | undefined, env: Environment, cwd: string): Promise<ConfigLocation> {
  const chosen = option ?? ((await exists(resolve(cwd, DEFAULT_FILE))) ? DEFAULT_FILE : env.SALLYPORT_CONFIG)
  if (chosen === undefined || chosen === '') return { folder: cwd }
  const path = resolve(cwd, chosen)
  return { path, folder: dirname(path) }
}

/** The SHA-256 of a file's text is there where it could be read at all: what `sha256sum` prints for it. */
export type FileLoadResult = LoadResult & { readonly sha256?: string }

/** Reads the whole configuration. Without a file, that of an empty one. */
export async function readConfig(location: ConfigLocation, env: Environment): Promise<FileLoadResult> {
  const file = await readLocation(location)
  if (!file.ok) return file
  return { ...(await loadConfig(file.text, sources(location, env))), sha256: nodeHashing.sha256(file.text) }
}

/** Reads the tokens part alone, which needs no secrets of the gateway. */
export async function readTokensConfig(location: ConfigLocation, env: Environment): Promise<TokensResult> {
  const file = await readLocation(location)
  return file.ok ? loadTokens(file.text, sources(location, env)) : file
}

/** Reads where the state is, which needs none of the gateway's secrets but those in its own URL. */
export async function readStateConfig(location: ConfigLocation, env: Environment): Promise<StateResult> {
  const file = await readLocation(location)
  return file.ok ? loadState(file.text, sources(location, env)) : file
}

/** Reads where the audit log is, which needs none of the gateway's secrets. */
export async function readAuditFile(location: ConfigLocation, env: Environment): Promise<AuditFileResult> {
  const file = await readLocation(location)
  return file.ok ? loadAuditFile(file.text, sources(location, env)) : file
}

/** Reads where the audit log is and where it is sent. */
export async function readForwarding(location: ConfigLocation, env: Environment): Promise<ForwardingResult> {
  const file = await readLocation(location)
  return file.ok ? loadForwarding(file.text, sources(location, env)) : file
}

/** Reads where the state is from its value alone, as an option gives it. */
export function readState(value: string): Promise<StateResult> {
  const text = JSON.stringify({ state: value.replaceAll('${', '$$${') })
  return loadState(text, sources({ folder: process.cwd() }, {}))
}

type Read = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly faults: readonly Fault[] }

async function readLocation({ path }: ConfigLocation): Promise<Read> {
  if (path === undefined) return { ok: true, text: '' }
  const file = await readText(path, MAX_CONFIG_CHARACTERS * BYTES_PER_CHARACTER)
  return file.ok ? file : { ok: false, faults: [{ path: '', reason: `cannot be read: ${file.reason}` }] }
}

function sources({ folder }: ConfigLocation, env: Environment): Sources {
  return {
    env,
    readFile: (path, max) => readText(path, max * BYTES_PER_CHARACTER),
    resolvePath: path => resolve(folder, path),
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch {
    return false
  }
}
