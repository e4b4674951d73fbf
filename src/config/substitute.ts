import { at, type Fault } from './fault.ts'
import { MAX_INCLUDED_CHARACTERS } from './limits.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** The text of a file, or why it could not be read, without its content. */
export type FileText = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: string }

export interface Sources {
  readonly env: Environment
  /** Reads a file of UTF-8 text; a file that is sure to have more characters than `max` is refused. Never rejects. */
  readonly readFile: (path: string, max: number) => Promise<FileText>
  /** Makes a path absolute, relative ones against the folder of the configuration file. */
  readonly resolvePath: (path: string) => string
}

export type Substituted = { readonly value: unknown; readonly faults: readonly Fault[] }

/** `$${` is a literal `${`. */
const PLACEHOLDER = /\$?\$\{([^}]*)\}?/g

/**
 * Replaces `${env:NAME}` and `${file:/path}` in every string of a document; keys stay as they are. What replaces is not
 * looked at again, so a secret may hold anything. A file's last line end is left out.
 */
export async function substitute(value: unknown, sources: Sources, path = ''): Promise<Substituted> {
  if (typeof value === 'string') return substituteText(value, sources, path)
  if (typeof value !== 'object' || value === null) return { value, faults: [] }
  const list = Array.isArray(value)
  const faults: Fault[] = []
  const pairs: [string, unknown][] = []
  for (const [key, inner] of Object.entries(value)) {
    const result = await substitute(inner, sources, at(path, list ? Number(key) : key))
    faults.push(...result.faults)
    pairs.push([key, result.value])
  }
  return { value: list ? pairs.map(([, inner]) => inner) : Object.fromEntries(pairs), faults }
}

async function substituteText(text: string, sources: Sources, path: string): Promise<Substituted> {
  const faults: Fault[] = []
  let result = ''
  let last = 0
  for (const match of text.matchAll(PLACEHOLDER)) {
    result += text.slice(last, match.index)
    last = match.index + match[0].length
    if (match[0].startsWith('$$')) {
      result += match[0].slice(1)
      continue
    }
    const found = match[0].endsWith('}') ? await lookUp(match[1] ?? '', sources) : fault('"${" without its "}"')
    if (found.ok) result += found.text
    else faults.push({ path, reason: found.reason })
  }
  return { value: result + text.slice(last), faults }
}

async function lookUp(reference: string, { env, readFile, resolvePath }: Sources): Promise<FileText> {
  const colon = reference.indexOf(':')
  const subject = reference.slice(colon + 1)
  switch (reference.slice(0, colon)) {
    case 'env': {
      const text = Object.hasOwn(env, subject) ? env[subject] : undefined
      if (text === undefined) return fault(`the environment variable ${subject} is not set`)
      return text === '' ? fault(`the environment variable ${subject} is empty`) : { ok: true, text }
    }
    case 'file': {
      const file = await readFile(resolvePath(subject), MAX_INCLUDED_CHARACTERS)
      if (!file.ok) return fault(`the file ${subject} cannot be read: ${file.reason}`)
      if (file.text.length > MAX_INCLUDED_CHARACTERS) {
        return fault(`the file ${subject} has more than ${MAX_INCLUDED_CHARACTERS} characters`)
      }
      const text = file.text.replace(/\r?\n$/, '')
      return text === '' ? fault(`the file ${subject} is empty`) : { ok: true, text }
    }
    default:
      return fault('only ${env:NAME} and ${file:/path} are known; write $${ for a plain ${')
  }
}

function fault(reason: string): FileText {
  return { ok: false, reason }
}
