import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Runtime } from '../test/support/index.ts'
import { describeMachine } from './machine.ts'
import { soak } from './soak/run.ts'
import { judge, thirds } from './soak/verdict.ts'
import type { Look } from './soak/watch.ts'

const USAGE = `npm run soak -- [--minutes N] [--streams N] [--runtime node|bun] [--seed N] [--note TEXT] [--out FILE]
  --minutes N  how long the load lasts, 0.5 to 1440 (default 15)
  --streams N  callers at the same time, 1 to 2000 (default 200)
  --runtime    node (default) or bun
  --seed N     of the callers' chances (default 1)
  --note TEXT  goes into the results, such as what else the machine did
  --out FILE   where the results go (default bench/results/soak-RUNTIME.json)`

/** Part by which the memory of the last third may differ from that of the second. */
const TOLERANCE = 0.05

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '15' },
    streams: { type: 'string', default: '200' },
    runtime: { type: 'string', default: 'node' },
    seed: { type: 'string', default: '1' },
    note: { type: 'string', default: '' },
    out: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
const [minutes, streams, seed] = [Number(values.minutes), Number(values.streams), Number(values.seed)]
const isGood =
  minutes >= 0.5 &&
  minutes <= 1440 &&
  Number.isInteger(streams) &&
  streams >= 1 &&
  streams <= 2000 &&
  Number.isSafeInteger(seed)
if (values.help || !isGood || !['node', 'bun'].includes(values.runtime)) {
  console.error(USAGE)
  process.exit(values.help ? 0 : 2)
}
const runtime = values.runtime as Runtime
const out = values.out ?? join(import.meta.dirname, `results/soak-${runtime}.json`)

function showProgress({ s, rss, descriptors, active, leases }: Look): void {
  const facts = `${rss.toFixed(0)} MiB, ${descriptors} descriptors, ${active} requests, ${leases} leases`
  process.stderr.write(`\r\u001b[K${(s / 60).toFixed(1)} of ${minutes} min: ${facts}`)
}

const observed = await soak({
  runtime,
  streams,
  seconds: minutes * 60,
  seed,
  ...(process.stderr.isTTY && { onLook: showProgress }),
})
if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
const checks = judge(observed, TOLERANCE)

console.log(`${minutes} minutes, ${streams} callers, ${runtime}, seed ${seed}\n`)
console.table(
  Object.fromEntries([...observed.tallies].map(([name, { requests, failed }]) => [name, { requests, failed }])),
)
console.table(Object.fromEntries(checks.map(({ name, ok, detail }) => [name, { ok: ok ? 'yes' : 'NO', detail }])))
for (const [name, { faults }] of observed.tallies) for (const fault of faults) console.log(`${name}: ${fault}`)
const round = (pair: readonly number[]) => pair.map(value => Math.round(value * 10) / 10)
const heap = round(thirds(observed.looks, look => look.heap))
console.log(`\nheap in use, MiB, median of the second and of the last third: ${heap.join(', ')}`)

const document = {
  at: new Date().toISOString(),
  runtime,
  machine: describeMachine(),
  note: values.note,
  minutes,
  streams,
  seed,
  checks,
  rss: round(thirds(observed.looks, look => look.rss)),
  heap,
  ...observed,
  tallies: Object.fromEntries(observed.tallies),
}
writeFileSync(out, `${JSON.stringify(document)}\n`)
console.log(`Results: ${out}`)
process.exit(checks.every(({ ok }) => ok) ? 0 : 1)
