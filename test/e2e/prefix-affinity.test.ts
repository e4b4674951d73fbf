import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadIn } from '../../src/pool/reported-load.ts'
import { type Gateway, type Llama, startGateway, startLlama } from '../support/index.ts'

const CONVERSATIONS = 20
const TURNS = 10
const AT_ONCE = 4
const SYSTEM =
  'You are the assistant of a company that builds doors for fortresses. You answer in one short sentence, you never ' +
  'make anything up, and where you do not know an answer you say so. '
const ANSWER = 'Nobody passes the second door before the first one has closed behind them.'

interface Message {
  readonly role: 'system' | 'user' | 'assistant'
  readonly content: string
}

interface Completion {
  readonly choices: readonly { readonly message: { readonly content: string } }[]
  readonly usage: {
    readonly prompt_tokens: number
    readonly prompt_tokens_details: { readonly cached_tokens: number }
  }
}

let llamas: Llama[]
let gateway: Gateway
let token: string

beforeAll(async () => {
  const args = ['--ctx-size', '16384', '--parallel', '4']
  llamas = await Promise.all(Array.from({ length: 5 }, () => startLlama({ say: ANSWER, args })))
  const upstreams = llamas.map(({ url }) => ({ url: `${url}/v1`, kind: 'llama.cpp', maxInFlight: 4 }))
  const [alone, ...pool] = upstreams
  gateway = await startGateway({
    config: {
      models: [
        { id: 'alone', upstreams: [alone] },
        { id: 'pool', upstreams: pool },
        // The same four servers, in the order in which the test asks them.
        ...pool.map((upstream, index) => ({ id: `round-robin-${index}`, upstreams: [upstream] })),
      ],
    },
  })
  token = await gateway.mint()
}, 60_000)

afterAll(async () => {
  await gateway?.stop()
  await Promise.all((llamas ?? []).map(llama => llama.stop()))
})

async function complete(model: string, messages: readonly Message[]): Promise<Completion> {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages, max_tokens: 24 }),
    signal: AbortSignal.timeout(15_000),
  })
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
  return (await response.json()) as Completion
}

/** The order of the conversations in a turn: another one each turn, and the same in each run. */
const orderIn = (turn: number) => Array.from({ length: CONVERSATIONS }, (_, at) => (at * 7 + turn * 3) % CONVERSATIONS)

/** Has all conversations, turn by turn and several at once; the share of prompt tokens that came from a cache. */
async function cachedShare(name: string, modelOf: (request: number) => string): Promise<number> {
  const conversations = Array.from({ length: CONVERSATIONS }, (): Message[] => [{ role: 'system', content: SYSTEM }])
  let [requests, prompt, cached] = [0, 0, 0]
  for (let turn = 0; turn < TURNS; turn++) {
    const waiting = orderIn(turn)
    const work = async () => {
      for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
        const messages = conversations[at] as Message[]
        messages.push({ role: 'user', content: `${name}, visitor ${at}: what is to be known about door ${turn * at}?` })
        const { choices, usage } = await complete(modelOf(requests++), messages)
        messages.push({ role: 'assistant', content: choices[0]?.message.content ?? '' })
        prompt += usage.prompt_tokens
        cached += usage.prompt_tokens_details.cached_tokens
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
  }
  return cached / prompt
}

test(`of ${CONVERSATIONS} conversations, four servers have in their caches nearly what one alone would have`, async () => {
  const alone = await cachedShare('alone', () => 'alone')
  const roundRobin = await cachedShare('in turn', request => `round-robin-${request % 4}`)
  const pool = await cachedShare('pooled', () => 'pool')
  const shares = JSON.stringify({ alone, roundRobin, pool })
  expect(alone, shares).toBeGreaterThan(0.5)
  expect(pool, shares).toBeGreaterThanOrEqual(0.9 * alone)
  expect(roundRobin, shares).toBeLessThan(0.7 * alone)
}, 120_000)

test('a real server says how much it has to do', async () => {
  const metrics = await fetch(`${llamas[0]?.url}/metrics`)
  expect(loadIn(await metrics.text(), 'llama.cpp')).toBe(0)
})
