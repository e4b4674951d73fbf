import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort, type Gateway, sallyport, startGateway, startRedis, tempDir, waitFor } from '../support/index.ts'
import { testCa } from '../support/test-ca.ts'
import { chat, type Rig } from './rig.ts'

/** Each stands in one place, and may be seen nowhere else. */
const CANARY = {
  apiKey: 'canary-api-key-4f1c',
  hmac: 'canary-hmac-secret-of-more-than-32-bytes-9b2e',
  redis: 'canary-redis-password-77aa',
  validatorKey: 'canary-validator-key-03dd',
  validatorHeader: 'canary-validator-header-5e5e',
  answer: 'canary-of-the-model-server-c0de',
  prompt: 'canary-in-the-prompt-1a2b',
  query: 'canary-in-the-query-8c8c',
  cookie: 'canary-cookie-d00d',
  basic: 'canary-basic-eeee',
} as const

/** Model servers that answer with what they should not, at every stage. */
const ANSWERS: Readonly<Record<string, string>> = {
  'an error': `HTTP/1.1 500 ${CANARY.answer}\r\nx-secret: ${CANARY.answer}\r\ncontent-length: 33\r\n\r\n{"e":"${CANARY.answer}"}`,
  'a refusal': `HTTP/1.1 400 Bad\r\ncontent-length: ${CANARY.answer.length}\r\n\r\n${CANARY.answer}`,
  'no HTTP': `${CANARY.answer}\r\n\r\n`,
  'a bad header': `HTTP/1.1 200 OK\r\n${CANARY.answer}\r\n\r\n`,
  'a bad length': `HTTP/1.1 200 OK\r\ncontent-length: ${CANARY.answer}\r\n\r\n`,
  'a bad chunk': `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${CANARY.answer}\r\n`,
  'no JSON': `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${CANARY.answer.length}\r\n\r\n${CANARY.answer}`,
  'an event that is no JSON': `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\ndata: {"${CANARY.answer}\n\n`,
  'an error event': `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\ndata: {"error":{"message":"${CANARY.answer}"}}\n\n`,
  'a redirection': `HTTP/1.1 302 Found\r\nlocation: http://${CANARY.answer}/\r\ncontent-length: 0\r\n\r\n`,
  'half an answer': `HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"${CANARY.answer}`,
}

/** Faults of every kind, with a secret in every place that holds one: none comes out anywhere. */
export function canaries(rig: Rig): void {
  let gateway: Gateway
  let server: ReturnType<typeof createServer>
  let kind = ''
  let tls: { cert: string; key: string }
  const heard: string[] = []
  const sockets = new Set<Socket>()

  beforeAll(async () => {
    server = createServer(socket => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.once('data', () => {
        socket.end(Buffer.from(ANSWERS[kind] ?? ''))
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    tls = testCa(tempDir()).issue('gateway')
    gateway = await startGateway({
      runtime: rig.runtime,
      env: { LOG_LEVEL: 'debug', CANARY_KEY: CANARY.apiKey },
      config: {
        models: [
          { id: 'm', upstreams: [{ url: `http://127.0.0.1:${port}/v1`, kind: 'vllm', apiKey: '${env:CANARY_KEY}' }] },
          {
            id: 'secure',
            upstreams: [{ url: `https://127.0.0.1:${port}/v1`, kind: 'vllm', apiKey: CANARY.apiKey, tls }],
          },
        ],
        audit: { file: 'audit/audit.jsonl', hmacSecret: CANARY.hmac },
        guard: {
          validators: [
            {
              name: 'judge',
              kind: 'http',
              url: `http://127.0.0.1:${await freePort()}/check`,
              apiKey: CANARY.validatorKey,
              headers: { 'x-judge': CANARY.validatorHeader },
              action: 'flag',
              onFailure: 'allow',
            },
          ],
        },
      },
    })
  })
  afterAll(async () => {
    for (const socket of sockets) socket.destroy()
    server?.close()
    await gateway?.stop()
  })

  const secretsOf = () => {
    const jwk = JSON.parse(readFileSync(join(gateway.dir, 'keys/signing.jwk.json'), 'utf8')) as { d: string }
    const [, pem = ''] = readFileSync(tls.key, 'utf8').split('\n')
    return [...Object.values(CANARY), jwk.d, pem, ...rig.tokens.map(token => token.split('.').at(-1) ?? token)]
  }
  const clean = (where: string, text: string) => {
    for (const secret of secretsOf()) expect(text.includes(secret), `${secret.slice(0, 24)} in ${where}`).toBe(false)
  }
  /** Asks, and keeps all that comes back. */
  const ask = async (body: unknown, options: object = {}) => {
    const reply = await rig.send(body, { gateway, ...options })
    heard.push(JSON.stringify([...reply.headers]), reply.text)
    return reply
  }

  test.each(Object.keys(ANSWERS))('a model server that answers with %s', async name => {
    kind = name
    for (const model of ['m', 'secure']) {
      for (const stream of [false, true]) {
        const reply = await ask({ ...chat(CANARY.prompt), model, stream })
        expect(reply.text).toContain('"error"')
      }
    }
  })

  test('callers with credentials in every place', async () => {
    const good = await rig.token({}, {}, gateway)
    const bad = `${good.slice(0, -8)}AAAAAAAA`
    rig.tokens.push(bad)
    const path = `/v1/chat/completions?access_token=${good}&key=${CANARY.query}`
    await ask(chat(), { token: null, path })
    await ask(chat(), { token: bad })
    await ask({ ...chat(), [CANARY.prompt]: 1, frobnicate: CANARY.prompt })
    await ask(`{"model":"${CANARY.prompt}"`, {})
    await ask({ ...chat(), model: 'x' }, { headers: { cookie: CANARY.cookie, 'x-request-id': `${CANARY.cookie} x` } })
    await ask(chat(), { token: null, headers: { authorization: `Basic ${CANARY.basic}` } })
    await ask(chat(), { token: null, path: '/v1/messages', headers: { 'x-api-key': bad } })
    await ask(undefined, { method: 'GET', path: `/${CANARY.query}`, token: null })
    await ask(undefined, { method: 'GET', path: `/v1/models/${CANARY.query}` })
    await ask(undefined, { method: 'GET', path: '/readyz', token: null })
  })

  test('no answer, no line of the log and no record holds one', async () => {
    await waitFor('records', () => rig.auditText(gateway).split('\n').length > 40)
    // The name of a field is repeated to the caller who made it up, and to nobody else.
    clean(
      'the answers',
      heard.join('\n').replaceAll(`"param":"${CANARY.prompt}"`, '').replaceAll(`field \\"${CANARY.prompt}\\"`, ''),
    )
    clean('the log', gateway.output())
    clean('the records', rig.auditText(gateway))
    expect(gateway.output()).toContain('validator_failed')
  })

  test('a store that does not take the password', async () => {
    await using redis = await startRedis({ args: ['--requirepass', 'another'] })
    await using strange = await startGateway({
      runtime: rig.runtime,
      env: { LOG_LEVEL: 'debug' },
      config: {
        state: redis.url.replace('//', `//:${CANARY.redis}@`),
        models: [{ id: 'm', upstreams: [{ url: 'http://127.0.0.1:9/v1', kind: 'vllm' }] }],
        quotas: [{ name: 'q', per: [], requests: 10, window: '1m' }],
      },
    })
    const reply = await rig.send(chat(CANARY.prompt), { gateway: strange })
    expect(reply.json()['error'].code).toBe('revocations_unavailable')
    await waitFor('the complaint', () => strange.output().includes('redis_'))
    clean('the log', strange.output() + reply.text + rig.auditText(strange))
  })

  test('no command prints one, whatever is wrong with the configuration', { timeout: 90_000 }, async () => {
    const dir = join(gateway.dir, 'broken')
    mkdirSync(dir)
    const base = {
      state: `redis://user:${CANARY.redis}@127.0.0.1:1/0`,
      tokens: { jwks: '../keys/public.jwks.json' },
      models: [{ id: 'm', upstreams: [{ url: 'http://127.0.0.1:9/v1', kind: 'vllm', apiKey: CANARY.apiKey }] }],
      audit: { hmacSecret: CANARY.hmac },
    }
    const broken: Readonly<Record<string, object>> = {
      good: base,
      'a secret as a number of seconds': { ...base, timeouts: { idle: CANARY.apiKey } },
      'a secret as a port': { ...base, listen: { port: CANARY.apiKey } },
      'a secret in a URL': {
        ...base,
        models: [{ id: 'm', upstreams: [{ url: `http://u:${CANARY.apiKey}@127.0.0.1/v1`, kind: CANARY.apiKey }] }],
      },
      'a secret as state': { ...base, state: CANARY.redis },
      'a secret as a pattern': { ...base, guard: { rules: [{ name: 'X', pattern: `${CANARY.apiKey}*` }] } },
      'a secret as a file of TLS': {
        ...base,
        tls: { cert: '../keys/signing.jwk.json', key: '../keys/signing.jwk.json' },
      },
      'a private key for public ones': { ...base, tokens: { jwks: '../keys/signing.jwk.json' } },
    }
    const runs = Object.entries(broken).flatMap(([name, config], index) => {
      const file = join(dir, `${index}.yaml`)
      writeFileSync(file, JSON.stringify(config))
      if (name === 'good') return [{ name, args: ['config', 'print', '--config', file] }]
      return [
        { name, args: ['config', 'check', file] },
        { name, args: ['serve', '--config', file] },
      ]
    })
    const [env, cwd] = [{ LOG_LEVEL: 'debug', PROMPT_HMAC_SECRET: CANARY.hmac }, dir]
    const outcomes = runs.map(async ({ name, args }) => {
      const { code, stdout, stderr } = await sallyport(args, { cwd, runtime: rig.runtime, env })
      clean(`${args[0]} ${args[1]} with ${name}`, stdout + stderr)
      if (args[0] === 'serve') expect([name, code]).toEqual([name, 1])
    })
    await Promise.all(outcomes)
  })
}
