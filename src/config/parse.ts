import { parseDocument } from 'yaml'
import type { Fault } from './fault.ts'
import { MAX_CONFIG_CHARACTERS, MAX_YAML_ALIASES } from './limits.ts'

export type Parsed =
  | { readonly ok: true; readonly document: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly faults: readonly Fault[] }

/** Reads YAML 1.2 with one mapping at the top. Duplicate keys, unknown tags and masses of aliases are faults. */
export function parseYaml(text: string): Parsed {
  if (text.length > MAX_CONFIG_CHARACTERS) return refused(`has more than ${MAX_CONFIG_CHARACTERS} characters`)
  try {
    const document = parseDocument(text, { version: '1.2', schema: 'core', uniqueKeys: true, prettyErrors: false })
    const lines = text.split('\n')
    const problems = [...document.errors, ...document.warnings]
    if (problems.length > 0) {
      return {
        ok: false,
        faults: problems.map(({ message, pos }) => ({ path: '', reason: `${place(lines, pos[0])}: ${message}` })),
      }
    }
    const value: unknown = document.toJS({ maxAliasCount: MAX_YAML_ALIASES })
    if (value === null) return { ok: true, document: {} }
    if (typeof value !== 'object' || Array.isArray(value)) return refused('should be a mapping of keys to values')
    return { ok: true, document: value as Record<string, unknown> }
  } catch (error) {
    // The library throws these two for its alias bound and for nesting deeper than the stack.
    if (error instanceof ReferenceError) return refused('has too many aliases')
    if (error instanceof RangeError) return refused('is nested too deeply')
    throw error
  }
}

function refused(reason: string): Parsed {
  return { ok: false, faults: [{ path: '', reason }] }
}

function place(lines: readonly string[], offset: number): string {
  let rest = offset
  for (const [index, line] of lines.entries()) {
    if (rest <= line.length) return `line ${index + 1}, column ${rest + 1}`
    rest -= line.length + 1
  }
  return `line ${lines.length}`
}
