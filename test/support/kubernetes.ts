// Kubernetes objects against the schemas that Kubernetes publishes, and against what those let pass: fields that do not exist.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { ErrorObject } from 'ajv'
import { type parse, parseAllDocuments } from 'yaml'

export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string }
  /** As YAML gave it: the schema has judged it before a test reads it. */
  readonly spec?: ReturnType<typeof parse>
  readonly data?: Readonly<Record<string, string>>
}

/** All objects of these files of the folder, except the one that lists them. */
export function objectsIn(folder: string, files = '*.yaml'): KubernetesObject[] {
  return globSync(files, { cwd: folder })
    .filter(file => file !== 'kustomization.yaml')
    .sort()
    .flatMap(file => parseAllDocuments(readFileSync(join(folder, file), 'utf8')).map(document => document.toJS()))
}

const SCHEMAS = join(dirname(createRequire(import.meta.url).resolve('kubernetes-models/package.json')), '_schemas')

const capitalised = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)

/** What is wrong with it: nothing, what its schema says, or the fields that no schema has asked for. */
export async function faultsOf(object: KubernetesObject): Promise<string[]> {
  const [version = '', group = 'core'] = object.apiVersion.split('/').toReversed()
  // As in io.k8s.api.networking.v1.NetworkPolicy.
  const name = ['io', 'k8s', 'api', group.replace(/\..*/, ''), version, object.kind].map(capitalised).join('')
  const file = join(SCHEMAS, `${name}.js`)
  if (!existsSync(file)) return [`there is no ${object.kind} in ${object.apiVersion}`]
  const { validate } = await import(file)
  const unread = new Set<string>()
  if (!validate(watched(object, '', unread)))
    return (validate.errors as ErrorObject[]).map(({ instancePath, message }) => `${instancePath}: ${message}`)
  return [...unread].map(path => `${path}: no such field`)
}

/** The same value, whose fields leave the set once they are read: a schema reads every field that it knows of. */
function watched(value: unknown, path: string, unread: Set<string>): unknown {
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).map(([name, field]) => {
    const at = `${path}/${name}`
    unread.add(at)
    return [name, { at, field: watched(field, at, unread) }] as const
  })
  const copy = Array.isArray(value) ? [] : {}
  for (const [name, { at, field }] of fields)
    Object.defineProperty(copy, name, {
      enumerable: true,
      get: () => {
        unread.delete(at)
        return field
      },
    })
  return copy
}
