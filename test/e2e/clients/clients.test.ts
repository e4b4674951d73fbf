import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { aiSdk } from './ai-sdk.ts'
import { anthropic } from './anthropic.ts'
import { type Client, QUESTION, type Skill } from './client.ts'
import { curl } from './curl.ts'
import { langchain } from './langchain.ts'
import { openai } from './openai.ts'
import { LET_OUT, PERSON_LET_OUT, type Rig, startRig } from './rig.ts'

/** Callers' libraries, each as it comes, against the bundled gateway. A new one is a file beside this and a word here. */
const CLIENTS: readonly Client[] = [openai, anthropic, aiSdk, langchain, curl]

const AWS_KEY = ['AKIA', 'QYLPMN5HHHFPZAM2'].join('')

/** What is refused, and must not be tried again: the token, model or question that brings it about. */
const REFUSALS = [
  { status: 400, code: 'guard_secrets', question: `Is ${AWS_KEY} still good?` },
  { status: 401, code: 'invalid_token', token: 'not.a.token' },
  { status: 403, code: 'model_forbidden', model: 'fills' },
  { status: 404, code: 'model_not_found', model: 'nobody-has-it' },
  { status: 413, code: 'body_too_large', question: 'x'.repeat(70_000) },
]

let rig: Rig
/** May use `says` alone. */
let narrow: string
let wide: string

beforeAll(async () => {
  rig = await startRig()
  ;[narrow, wide] = await Promise.all([rig.gateway.mint({ models: 'says,nobody*' }), rig.gateway.mint()])
})
afterAll(() => rig?.[Symbol.asyncDispose]())

describe.each(CLIENTS)('$name', client => {
  const connect = (token: string, retries = 0) => client.connect({ url: rig.gateway.url, token, retries })
  /** A case for a library that has the means; one that lacks them must really fail, so that the reason does not grow old. */
  const needs = (skill: Skill, name: string, attempt: () => Promise<unknown>, check: (result: unknown) => void) => {
    const reason = client.lacks?.[skill]
    if (reason === undefined) test(name, async () => check(await attempt()))
    else test(`${name}: ${reason}`, () => expect(attempt()).rejects.toThrow(reason))
  }

  test('an answer comes redacted, whole', async () => {
    expect(await connect(wide).whole('says', QUESTION)).toBe(LET_OUT)
  })

  test('an answer comes redacted, streamed', async () => {
    const pieces = await connect(wide).stream('says', QUESTION)
    expect(pieces.join('')).toBe(LET_OUT)
    expect(pieces.length).toBeGreaterThan(5)
  })

  test('a tool runs with redacted arguments, and its result goes back to a model', async () => {
    const inputs: unknown[] = []
    const answer = await connect(wide).callTool(['calls', 'says'], input => {
      inputs.push(input)
      return 'Bob, of the garden team.'
    })
    expect(inputs).toEqual([PERSON_LET_OUT])
    expect(answer).toBe(LET_OUT)
  })

  needs(
    'structured',
    'a structured answer is redacted, and fits its schema still',
    () => connect(wide).structured('fills'),
    person => expect(person).toEqual(PERSON_LET_OUT),
  )

  needs(
    'embed',
    'embeddings',
    () => connect(wide).embed('vectors', ['one', 'quite another']),
    result => {
      const vectors = result as readonly (readonly number[])[]
      expect(vectors).toHaveLength(2)
      // The server makes them of length one: numbers that were read wrongly are not.
      for (const vector of vectors) expect(Math.hypot(...vector)).toBeCloseTo(1, 3)
      expect(vectors[0]?.length).toBe(vectors[1]?.length)
      expect(vectors[0]).not.toEqual(vectors[1])
    },
  )

  test.each(REFUSALS)('$status $code is an error, and is not tried again', async refusal => {
    const { status, code, token = narrow, model = 'says', question = QUESTION } = refusal
    const connection = connect(token, 2)
    const before = rig.attempts()
    const error = await connection.whole(model, question).then(
      () => expect.unreachable('it was answered'),
      (reason: unknown) => reason,
    )
    expect(connection.failure(error)).toMatchObject({ status, code })
    expect(rig.attempts() - before).toBe(1)
  })

  test('a limit that is used up is a 429 with how long to wait', async () => {
    const connection = connect(await rig.gateway.mint({ team: 'denied' }))
    expect(await connection.whole('says', QUESTION)).toBe(LET_OUT)
    const error = await connection.stream('says', QUESTION).catch((reason: unknown) => reason)
    const failure = connection.failure(error)
    expect(failure).toMatchObject({ status: 429, code: 'rate_limit_exceeded' })
    expect(Number(failure.retryAfter)).toBeGreaterThan(3000)
  })

  test('a 503 is tried again', async () => {
    rig.fail([503])
    const before = rig.attempts()
    expect(await connect(wide, 3).whole('flaky', QUESTION)).toBe('Recovered.')
    expect(rig.attempts() - before).toBe(2)
  })
})

// One retry alone: it succeeds only if it comes after the three seconds that the gateway names, which no library's own first
// pause reaches.
describe.concurrent('a 429 is tried again when retry-after has passed', () => {
  test.each(CLIENTS.map((client, at) => ({ client, name: client.name, app: `hasty-${at}` })))(
    '$name',
    async ({ client, app }) => {
      const token = await rig.gateway.mint({ team: 'hasty', app })
      const connection = client.connect({ url: rig.gateway.url, token, retries: 1 })
      expect(await connection.whole('says', QUESTION)).toBe(LET_OUT)
      expect(await connection.whole('says', QUESTION)).toBe(LET_OUT)
      expect(rig.attempts(app)).toBe(3)
    },
  )
})
