import { afterAll, beforeAll, expect, test } from 'vitest'
import { chat } from '../fault/support/caller.ts'
import { type LogRecord, recordsOf } from '../fault/support/log.ts'
import { type Gateway, type Llama, sleep, startGateway, startLlama, waitFor } from '../support/index.ts'

const SLOTS = 2
const FLOOD = 200
const ROUNDS = 13
/** A loaded machine may take several times as long as an idle one, which takes 14 s for the longer of the two. */
const PATIENT = { timeout: 60_000 }

let llama: Llama
let gateway: Gateway

beforeAll(async () => {
  llama = await startLlama({ model: 'slow', args: ['--parallel', String(SLOTS)] })
  gateway = await startGateway({
    config: {
      models: [{ id: 'm', upstreams: [{ url: `${llama.url}/v1`, kind: 'llama.cpp', maxInFlight: SLOTS }] }],
      admission: { maxWait: '2m', weights: { heavy: 3 } },
    },
  })
})
afterAll(() => Promise.all([gateway?.stop(), llama?.stop()]))

const served = (team: string): LogRecord[] =>
  recordsOf(gateway).filter(record => record.team === team && record.outcome === 'served')
const serviceOf = ({ latencyMs, queueMs = 0 }: LogRecord) => latencyMs - queueMs
const tokensOf = ({ inputTokens = 0, outputTokens = 0 }: LogRecord) => inputTokens + outputTokens
const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0)
const median = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN

/** Keeps so many requests of a team at the gateway until it is told to stop; then all of them leave. */
function flood(token: string, count: number, fields: Readonly<Record<string, unknown>>) {
  const calls = new Set<ReturnType<typeof chat>>()
  let stopped = false
  const keepAsking = async () => {
    while (!stopped) {
      const call = chat(gateway, { token, fields, stream: false })
      calls.add(call)
      const { status } = await call.answer
      calls.delete(call)
      if (status !== 200 && !stopped) throw new Error(`the flood was answered ${status}`)
    }
  }
  const all = Promise.all(Array.from({ length: count }, keepAsking))
  all.catch(() => undefined) // told by `stop`
  return async () => {
    stopped = true
    for (const call of calls) call.leave()
    await all
  }
}

/** Once everybody has left, the model server comes to rest. */
async function expectQuiet(): Promise<void> {
  await waitFor('the model server to be idle', async () => (await llama.slots()) === 0)
  // All of those who waited have left the line, or the next request would wait.
  const token = await gateway.mint({ team: 'quiet' })
  expect((await chat(gateway, { token, stream: false, fields: { max_tokens: 1 } }).answer).status).toBe(200)
  expect(served('quiet').at(-1)?.queueMs).toBeUndefined()
}

test('a team that asks now and then waits for about one answer, however much another team asks', PATIENT, async () => {
  const [flooding, asking] = await Promise.all([gateway.mint({ team: 'flooding' }), gateway.mint({ team: 'asking' })])
  const fields = { max_tokens: 16 }
  const stop = flood(flooding, FLOOD, fields)
  await waitFor('the flood to run', () => served('flooding').length >= 4 * SLOTS)
  // One a second; on a slow machine less often, since no queue gives a team more than its share.
  const everyMs = Math.max(1000, 1.5 * median(served('flooding').map(serviceOf)))
  const from = performance.now()
  const before = served('flooding').length
  const asks = Array.from({ length: ROUNDS }, async (_, round) => {
    await sleep(round * everyMs)
    return chat(gateway, { token: asking, fields, stream: round % 2 === 0 }).answer
  })
  const answers = await Promise.all(asks)
  const tookMs = performance.now() - from
  const [ours, theirs] = [served('asking'), served('flooding').slice(before)]
  expect(answers.map(({ status, complete }) => status === 200 && complete)).not.toContain(false)
  expect(ours).toHaveLength(ROUNDS)

  const service = median(theirs.map(serviceOf))
  const wait = median(ours.map(({ queueMs = 0 }) => queueMs))
  const used = sum([...ours, ...theirs].map(serviceOf)) / (SLOTS * tookMs)
  const ratio = (wait / service).toFixed(2)
  console.log(
    `an answer takes ${service.toFixed(0)} ms, the median wait ${ratio} of it; ${ours.length} and ${theirs.length} answers`,
  )
  // The other team has its line all the while, and gets what is left.
  expect(wait).toBeLessThanOrEqual(1.2 * service)
  expect(theirs.length).toBeGreaterThan(ROUNDS)
  expect(used).toBeGreaterThan(0.8)
  expect(median(theirs.map(({ queueMs = 0 }) => queueMs))).toBeGreaterThan(5 * service)
  await stop()
  await expectQuiet()
})

test('weights of 3 to 1 give 3 to 1 tokens, though the requests of one are three times as long', PATIENT, async () => {
  const [heavy, light] = await Promise.all([gateway.mint({ team: 'heavy' }), gateway.mint({ team: 'light' })])
  const stops = [flood(heavy, 20, { max_tokens: 8 }), flood(light, 20, { max_tokens: 24 })]
  await waitFor('enough answers', () => served('light').length >= 20, 50_000)
  const [ofHeavy, ofLight] = [served('heavy'), served('light')]
  const share = sum(ofHeavy.map(tokensOf)) / sum(ofLight.map(tokensOf))
  console.log(`${ofHeavy.length} and ${ofLight.length} answers, tokens ${share.toFixed(2)} to 1`)
  expect(share).toBeGreaterThan(2.7)
  expect(share).toBeLessThan(3.3)
  await Promise.all(stops.map(stop => stop()))
  await expectQuiet()
})
