/** What is wrong with a configuration, and where: `models[0].upstreams[1].url`. Never holds a configured value. */
export interface Fault {
  /** Empty where the fault is of the whole file. */
  readonly path: string
  readonly reason: string
}

/** Adds a key or an index to a path. */
export function at(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}[${key}]`
  return path === '' ? key : `${path}.${key}`
}
