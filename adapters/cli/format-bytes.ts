const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** A size for people, as file managers and disks give it: powers of 1000, three digits. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3))
  const value = bytes / 1000 ** power
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toPrecision(3)} ${UNITS[power]}`
}
