import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { importJWK, type JWK, SignJWT } from 'jose'
import { Agent, type BodyInit, fetch, type Headers, type Response } from 'undici'
import {
  freePort,
  type Gateway,
  type RecordedRequest,
  type Runtime,
  type Script,
  type ScriptedUpstream,
  scriptedUpstream,
  startGateway,
  waitFor,
} from '../support/index.ts'
import { type CapabilityName, lacking } from './capabilities.ts'
import type { Json } from './events.ts'

/** In every prompt of the suite; never allowed in answers, logs or records. */
export const PROMPT = 'marzipan-prompt-7731'
/** In every refusal of the model server. */
export const INTERNAL = 'marzipan-internal-path-/opt/models'
export const UPSTREAM_KEY = 'marzipan-upstream-key'

export type Answer = (script: Script) => unknown
export type Values = Readonly<Record<string, unknown>>

export interface SendOptions {
  readonly path?: string
  readonly method?: string
  readonly token?: string | null
  readonly claims?: Values
  readonly headers?: Readonly<Record<string, string>>
  /** The caller's own address, of 127.0.0.0/8. */
  readonly from?: string
  /** In place of the gateway that most tests share. */
  readonly gateway?: Gateway
}

/** An answer that has arrived. */
export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  json(): Json
}

/**
 * One gateway under test, a second one with the opposite settings, and a model server that answers as the test at hand
 * wants. The tests of a rig run one after the other.
 */
export class Rig {
  readonly runtime: Runtime
  gateway!: Gateway
  /** Drops unknown fields, takes small bodies only, reaches no model server. */
  other!: Gateway
  upstream!: ScriptedUpstream
  /** Every token that was made. */
  readonly tokens: string[] = []
  private answer: Answer = () => undefined
  private readonly agents = new Map<string, Agent>()
  private failure: Error | undefined

  constructor(runtime: Runtime) {
    this.runtime = runtime
  }

  /** Why this runtime does not have it; undefined where it has. */
  lacks(name: CapabilityName): string | undefined {
    return lacking(this.runtime, name)
  }

  async start(): Promise<void> {
    this.upstream = await scriptedUpstream(async script => {
      if (script.request.path === HEALTH.path) return script.reply(200, {})
      try {
        await this.answer(script)
      } catch (error) {
        this.failure = error instanceof Error ? error : new Error(String(error))
        script.reset()
      }
    })
    const at = (url: string) => upstreams(url, 'vllm')
    const up = `${this.upstream.url}/v1`
    const nowhere = `http://127.0.0.1:${await freePort()}/v1`
    ;[this.gateway, this.other] = await Promise.all([
      startGateway({ runtime: this.runtime, config: mainConfig(up, nowhere) }),
      startGateway({
        runtime: this.runtime,
        config: {
          models: [
            { id: 'm', upstreams: at(nowhere) },
            { id: 'llama', upstreams: upstreams(nowhere, 'llama.cpp') },
          ],
          request: { unknownFields: 'drop', maxBody: '2KiB' },
        },
      }),
    ])
    await waitFor('the first health check', () => this.upstream.requests.length > 0)
  }

  async stop(): Promise<void> {
    await Promise.all([...this.agents.values()].map(agent => agent.destroy()))
    await Promise.all([this.gateway?.stop(), this.other?.stop(), this.upstream?.stop()])
  }

  /** A token signed with the gateway's key, its claims and header changed as told (`undefined` takes one away). */
  async token(claims: Values = {}, header: Values = {}, gateway: Gateway = this.gateway): Promise<string> {
    const jwk = JSON.parse(readFileSync(join(gateway.dir, 'keys/signing.jwk.json'), 'utf8')) as JWK
    const now = Math.floor(Date.now() / 1000)
    const good = { iss: 'sallyport', aud: 'sallyport', sub: 'blue/tests/test', jti: randomUUID() }
    const who = { team: 'blue', app: 'tests', env: 'test', scope: 'inference' }
    const token = await new SignJWT({ ...good, ...who, iat: now, nbf: now, exp: now + 3600, ...claims })
      .setProtectedHeader({ alg: 'EdDSA', kid: jwk.kid ?? '', typ: 'at+jwt', ...header })
      .sign(await importJWK(jwk, 'EdDSA'))
    this.tokens.push(token)
    return token
  }

  /** Sends a request; `body` as JSON unless it is bytes or text already. */
  async fetch(body: unknown, options: SendOptions = {}): Promise<Response> {
    const { path = '/v1/chat/completions', method = 'POST', headers = {}, gateway = this.gateway } = options
    const token = options.token === undefined ? await this.token(options.claims, {}, gateway) : options.token
    const raw = typeof body === 'string' || body instanceof Uint8Array || body instanceof ReadableStream
    return fetch(gateway.url + path, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      signal: AbortSignal.timeout(10_000),
      dispatcher: this.agent(options.from ?? '127.0.0.1'),
      ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
      ...(body === undefined ? {} : { body: (raw ? body : JSON.stringify(body)) as BodyInit }),
    })
  }

  private agent(localAddress: string): Agent {
    const agent = this.agents.get(localAddress) ?? new Agent({ localAddress })
    this.agents.set(localAddress, agent)
    return agent
  }

  async send(body: unknown, options: SendOptions = {}): Promise<Reply> {
    const response = await this.fetch(body, options)
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) }
  }

  /** Sends a chat that the model server answers as told. */
  async chat(answer: Answer, fields: Values = {}, options: SendOptions = {}): Promise<Reply> {
    this.answers(answer)
    const reply = await this.send({ ...chat(), ...fields }, options)
    this.check()
    return reply
  }

  /** Sends a chat to be streamed; the model server's answer is the given chunks, one HTTP chunk each, or a script. */
  stream(answer: Answer | readonly (string | Uint8Array)[], fields: Values = {}, options: SendOptions = {}) {
    return this.chat(typeof answer === 'function' ? answer : chunks(answer), { stream: true, ...fields }, options)
  }

  answers(answer: Answer): void {
    this.answer = answer
  }

  /** Throws what the last script threw. */
  check(): void {
    const { failure } = this
    this.failure = undefined
    if (failure) throw failure
  }

  /** What the model server got last. */
  last(): RecordedRequest {
    const request = this.upstream.requests.at(-1)
    if (!request) throw new Error('the model server got nothing')
    return request
  }

  /** Its body, parsed. */
  lastBody(): Json {
    return JSON.parse(this.last().body)
  }

  /** Runs the requests and tells how many of them the model server saw. */
  async seen(run: () => Promise<unknown>): Promise<number> {
    const before = this.upstream.requests.length
    await run()
    return this.upstream.requests.length - before
  }

  auditText(gateway: Gateway = this.gateway): string {
    return readFileSync(join(gateway.dir, 'audit/audit.jsonl'), 'utf8')
  }

  /** The audit record of an answered request: of its end. */
  async record(reply: { headers: Headers }, gateway: Gateway = this.gateway): Promise<Json> {
    const id = `"requestId":"${reply.headers.get('x-request-id')}"`
    const line = await waitFor(`the record with ${id}`, () =>
      this.auditText(gateway)
        .split('\n')
        .find(text => text.includes(id) && text.endsWith('}') && !text.includes('"outcome":"begun"')),
    )
    return JSON.parse(line) as Json
  }
}

/** The fields of a small chat. */
export function chat(content: unknown = PROMPT): { model: string; messages: { role: string; content: unknown }[] } {
  return { model: 'm', messages: [{ role: 'user', content }] }
}

/** Answers with an event stream of these HTTP chunks. */
export function chunks(pieces: readonly (string | Uint8Array)[]): Answer {
  return async script => {
    await script.head()
    for (const piece of pieces) await script.chunk(piece)
    await script.finish()
  }
}

/** Answers with one JSON body. */
export function replies(value: unknown, status = 200, headers: Record<string, string> = {}): Answer {
  return script => script.reply(status, value, headers)
}

/** A model server of each kind, at one address. */
export function upstreams(url: string, ...kinds: string[]): Values[] {
  return kinds.map(kind => ({ url, kind, apiKey: UPSTREAM_KEY }))
}

/** Of the servers that there is a choice of: once at the start, and then not while the tests run. */
const HEALTH = { path: '/health', every: '10m' }

export const SYSTEM_PROMPT = 'You are the company assistant.'

function mainConfig(up: string, nowhere: string): Values {
  const vllm = upstreams(up, 'vllm')
  const mixed = [{ url: nowhere, kind: 'llama.cpp' }, ...vllm].map(server => ({ ...server, health: HEALTH }))
  return {
    models: [
      { id: 'm', upstreams: vllm },
      { id: 'short', upstreams: vllm, maxOutputTokens: 5 },
      { id: 'guided', upstreams: vllm, systemPrompt: SYSTEM_PROMPT },
      { id: 'small', upstreams: vllm, maxPromptCharacters: 100 },
      { id: 'gone', upstreams: upstreams(nowhere, 'vllm') },
      { id: 'llama', upstreams: upstreams(up, 'llama.cpp'), limits: { grammarCharacters: '16k' } },
      { id: 'ollama', upstreams: upstreams(up, 'ollama'), maxOutputTokens: 500 },
      { id: 'openai', upstreams: upstreams(up, 'openai') },
      { id: 'mixed', upstreams: mixed, limits: { choices: 2, tools: 1 } },
      { id: 'unsalted', upstreams: [{ ...vllm[0], cacheSalt: 'none' }] },
      { id: 'demoting', upstreams: vllm, systemPrompt: SYSTEM_PROMPT, callerSystem: 'demote' },
      { id: 'instructed', upstreams: vllm, callerSystem: 'refuse' },
    ],
    quotas: [
      { name: 'team-minute', per: ['team'], tokens: '10M', window: '1m' },
      { name: 'rate', per: ['token'], requests: 100_000, window: '60s' },
      { name: 'few', match: { team: 'few' }, per: ['team'], requests: 2, window: '60s' },
    ],
    guard: {
      input: { injection: 'block', pii: 'flag', secrets: 'block' },
      output: { pii: 'redact', secrets: 'redact' },
      rules: [
        { name: 'EMPLOYEE_ID', pattern: 'EMP-[0-9]{6}', on: ['input', 'output'], action: 'redact' },
        { name: 'PROJECT', pattern: 'Project Nightfall', on: ['input'], action: 'block' },
        {
          name: 'CODENAMES',
          terms: ['Osprey Nest', 'Müller & Söhne'],
          on: ['output'],
          replacement: '<a "code\\name">',
        },
        { name: 'TICKET', pattern: 'TCK-[0-9]{4}', on: ['input'], action: 'pseudonymise' },
      ],
      exceptions: [
        { match: { team: 'strict' }, input: { pii: 'block' }, output: { pii: 'block' } },
        { match: { team: 'halting' }, output: { pii: 'block', onBlock: 'error' } },
        { match: { team: 'redacting' }, input: { pii: 'redact', secrets: 'redact' } },
        {
          match: { team: 'lenient' },
          input: { injectionThreshold: 1 },
        },
        { match: { team: 'open' }, input: { injection: 'flag', secrets: 'flag' }, output: { pii: 'flag' } },
        { match: { team: 'brief' }, output: { maxCharacters: 20 } },
        { match: { team: 'alias' }, input: { pii: 'pseudonymise', secrets: 'pseudonymise' } },
        { match: { team: 'alias-brief' }, input: { pii: 'pseudonymise' }, output: { pii: 'block', maxCharacters: 20 } },
        {
          match: { team: 'masking' },
          input: { pii: 'mask', secrets: 'mask' },
          output: { pii: 'mask', secrets: 'mask' },
        },
        {
          match: { team: 'hashing' },
          input: { pii: 'hash', secrets: 'hash' },
          output: { pii: 'hash', secrets: 'hash' },
        },
        { match: { team: 'brief-strict', env: 'production' }, output: { pii: 'block' } },
        {
          match: { team: ['named', 'named-too'] },
          input: { rules: { EMAIL_SPELLED: 'redact' } },
          output: { rules: { EMAIL_SPELLED: 'redact', CODENAMES: 'off', US_SSN: 'off' } },
        },
        { match: { team: 'british' }, input: { rules: { CODENAMES: 'block' } }, output: { locales: ['uk'] } },
      ],
    },
  }
}
