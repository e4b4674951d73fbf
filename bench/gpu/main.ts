import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startGateway, startRedis } from '../../test/support/index.ts'
import { everythingOn } from '../everything-on.ts'
import { describeMachine } from '../machine.ts'
import { median } from '../results.ts'
import { ENGINES, type EngineName, findEngine, findGpu, startEngine } from './engine.ts'
import { measure, type Place, type Speed } from './measure.ts'

const USAGE = `npm run bench:gpu -- [--engine NAME] [--model PATH] [--rounds N] [--tokens N] [--note TEXT] [--out FILE]
  --engine NAME  ${ENGINES.join(', ')} (default: the first that is found)
  --model PATH   a GGUF file, or a folder with config.json and tokenizer (default: random weights, for llama.cpp)
  --rounds N     each of direct and gateway at 1, 16 and 64 streams, 1 to 50 (default 3)
  --tokens N     of each answer, 8 to 400 (default 256; 32 without a GPU)
  --note TEXT    goes into the results
  --out FILE     where the results go (default bench/results/gpu.json, cpu-try.json without a GPU)`

const STREAMS = [1, 16, 64]
/** Part of the tokens a second that has to be left behind the gateway, on a GPU. */
const GOAL = 0.99
/** Answers of each stream in one measurement; one alone needs more of them. */
const turnsOf = (streams: number) => (streams === 1 ? 4 : 2)

const { values } = parseArgs({
  options: {
    engine: { type: 'string' },
    model: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    tokens: { type: 'string' },
    note: { type: 'string', default: '' },
    out: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
const gpu = await findGpu()
const rounds = Number(values.rounds)
const tokens = Number(values.tokens ?? (gpu === undefined ? 32 : 256))
const within = (value: number, least: number, most: number) =>
  Number.isInteger(value) && value >= least && value <= most
const isEngine = values.engine === undefined || ENGINES.includes(values.engine as EngineName)
if (values.help || !isEngine || !within(rounds, 1, 50) || !within(tokens, 8, 400)) {
  console.error(USAGE)
  process.exit(values.help ? 0 : 2)
}
if (gpu === undefined)
  console.log(
    'No NVIDIA GPU here: this is the CPU try, with a small model. Model server, gateway and callers share the processor.\n',
  )

const name = (values.engine as EngineName | undefined) ?? (await findEngine(gpu))
await using engine = await startEngine({ name, gpu, model: values.model, streams: Math.max(...STREAMS) })
await using redis = await startRedis()
const upstream = { url: `${engine.url}/v1`, kind: engine.kind, maxInFlight: 128 }
await using gateway = await startGateway({
  config: { ...everythingOn(redis.url), models: [{ id: engine.model, upstreams: [upstream] }] },
  env: { NODE_ENV: 'production' },
})
const places: Record<'direct' | 'gateway', Place> = {
  direct: { url: engine.url, token: 'none', model: engine.model },
  gateway: { url: gateway.url, token: await gateway.mint(), model: engine.model },
}

interface Pair {
  readonly direct: Speed
  readonly gateway: Speed
}
const measured: Record<number, Pair[]> = {}
for (let round = -1; round < rounds; round++) {
  for (const streams of STREAMS) {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[Kround ${round + 1} of ${rounds}, ${streams} streams`)
    const load = { streams, turns: turnsOf(streams), tokens }
    const order = round % 2 === 0 ? (['direct', 'gateway'] as const) : (['gateway', 'direct'] as const)
    const speeds: Partial<Record<keyof Pair, Speed>> = {}
    for (const side of order) speeds[side] = await measure(places[side], load)
    // The first round warms up.
    if (round >= 0) (measured[streams] ??= []).push(speeds as Pair)
  }
}
if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')

const rows = STREAMS.map(streams => {
  const pairs = measured[streams] ?? []
  const of = (value: (pair: Pair) => number) => Math.round(median(pairs.map(value)) * 1000) / 1000
  return {
    streams,
    direct: of(pair => pair.direct.tokensPerSecond),
    gateway: of(pair => pair.gateway.tokensPerSecond),
    ratio: of(pair => pair.gateway.tokensPerSecond / pair.direct.tokensPerSecond),
    directFirstMs: of(pair => pair.direct.firstTokenMs.p50),
    gatewayFirstMs: of(pair => pair.gateway.firstTokenMs.p50),
  }
})
console.log(
  `${engine.name} ${engine.version} on ${engine.device}; weights: ${engine.weights}; ${tokens} tokens an answer`,
)
console.log('Tokens a second and time to the first token (median, ms), medians of the rounds:')
console.table(rows)

const out = values.out ?? join(import.meta.dirname, `../results/${gpu === undefined ? 'cpu-try' : 'gpu'}.json`)
const { version, device, weights } = engine
const head = { at: new Date().toISOString(), engine: name, version, device, weights, machine: describeMachine() }
writeFileSync(out, `${JSON.stringify({ ...head, note: values.note, tokens, rounds, rows, measured }, null, 2)}\n`)
console.log(`Results: ${out}`)
const missed = rows.filter(({ ratio }) => ratio < GOAL)
if (gpu === undefined) console.log('The goal, 99 % of the direct tokens a second, is for a GPU: not judged here.')
else
  console.log(
    missed.length === 0 ? 'The goal is met.' : `Missed at ${missed.map(({ streams }) => streams).join(', ')} streams.`,
  )
process.exitCode = gpu !== undefined && missed.length > 0 ? 1 : 0
