import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startRedis } from '../test/support/index.ts'
import { type LoadSide, startLoadSide } from './load/load.ts'
import { busySeconds, chooseCores, describeMachine } from './machine.ts'
import { installNginx } from './peers/nginx.ts'
import { installPortkey } from './peers/portkey.ts'
import { report } from './report.ts'
import type { Round, Sample, TargetResult } from './results.ts'
import { startTarget, TARGETS, type Target, type TargetName } from './targets.ts'
import { type Workload, workloads } from './workloads.ts'

const USAGE = `npm run bench -- [--rounds N] [--quick] [--only NAME,NAME] [--out FILE]
  --rounds N  rounds, each with fresh processes in another order (default 3)
  --quick     one round, half the time
  --only      some of: ${TARGETS.join(', ')}
  --out FILE  where the results go (default bench/results/latest.json)`

const MAX_ROUNDS = 20

const { values } = parseArgs({
  options: {
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    out: { type: 'string', default: join(import.meta.dirname, 'results/latest.json') },
    help: { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds ?? (values.quick ? 1 : 3))
const names = values.only ? values.only.split(',') : [...TARGETS]
const unknown = names.filter(name => !TARGETS.includes(name as TargetName))
if (values.help || unknown.length > 0 || !Number.isInteger(rounds) || rounds < 1 || rounds > MAX_ROUNDS) {
  console.error(USAGE)
  process.exit(values.help ? 0 : 2)
}

const cores = chooseCores()
if (cores.proxy === cores.load) console.log('Only one core: proxy and load share it, so nothing here is worth much.')
await installNginx()
await installPortkey()
const load = await startLoadSide(cores.load)
const plan = workloads(values.quick)

/** One workload on one target; the load's processor time is a share of one core. */
async function measure(target: Target, workload: Workload): Promise<Sample> {
  const before = busySeconds()
  const began = performance.now()
  const measured = await load.run(target, workload)
  const elapsed = (performance.now() - began) / 1000
  const busy = (core: number) => ((busySeconds().get(core) ?? 0) - (before.get(core) ?? 0)) / elapsed
  return { ...measured, proxyCoreBusy: busy(cores.proxy), loadCoreBusy: busy(cores.load) }
}

/** Everything about one target, with two fresh processes: memory is measured from a cold start. */
async function runTarget(name: TargetName, side: LoadSide): Promise<TargetResult> {
  const startMs: number[] = []
  const samples: Partial<Record<Workload['name'], Sample>> = {}
  const ofMemory = ({ name }: Workload) => name === 'fewStreams' || name === 'memory'
  for (const part of [plan.filter(workload => !ofMemory(workload)), plan.filter(ofMemory)]) {
    await using redis = await startRedis()
    const surroundings = { cores, upstreamPort: side.port, redisUrl: redis.url, workloads: plan }
    const target = await startTarget(name, surroundings)
    startMs.push(target.startMs)
    for (const workload of part) samples[workload.name] = await measure(target, workload)
    await target.stop()
  }
  return { startMs, samples }
}

const results: Round[] = []
for (let round = 0; round < rounds; round++) {
  const result: Round = {}
  for (let turn = 0; turn < names.length; turn++) {
    const name = names[(turn + round) % names.length] as TargetName
    process.stderr.write(`round ${round + 1} of ${rounds}: ${name}\n`)
    result[name] = await runTarget(name, load)
  }
  results.push(result)
}
await load.stop()

const { text, summary } = report(results)
console.log(text)
const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
  version: string
}
const machine = `${describeMachine()}; proxy on core ${cores.proxy}, load on core ${cores.load}`
const document = { at: new Date().toISOString(), version, node: process.version, machine, quick: values.quick }
mkdirSync(join(values.out, '..'), { recursive: true })
writeFileSync(values.out, `${JSON.stringify({ ...document, summary, rounds: results }, null, 2)}\n`)
console.log(`\nResults: ${values.out}`)
process.exit(0)
