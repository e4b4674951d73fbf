import { readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'

/** Which core the proxy runs on, and which one carries everything else. Equal where there is only one. */
export interface Cores {
  readonly proxy: number
  readonly load: number
}

export function chooseCores(): Cores {
  const [proxy = 0, load = proxy] = allowedCores()
  return { proxy, load }
}

/** The cores this process may run on, from a list such as `0-3,8`. */
function allowedCores(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  return list.split(',').flatMap(range => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}

export function describeMachine(): string {
  const [core] = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${allowedCores().length} × ${core?.model.trim() ?? 'unknown processor'}, ${memory} GiB, Linux ${release()}`
}

/** Seconds that each core has been busy since the machine started. */
export function busySeconds(): Map<number, number> {
  const busy = new Map<number, number>()
  for (const [, core, fields = ''] of readFileSync('/proc/stat', 'utf8').matchAll(/^cpu(\d+) (.*)$/gm)) {
    const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0] = fields.split(' ').map(Number)
    busy.set(Number(core), (user + nice + system + irq + softIrq) / 100)
  }
  return busy
}
