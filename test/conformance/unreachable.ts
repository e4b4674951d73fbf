import { connect } from 'node:net'
import { text as readAll } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LLAMA_CPP_UNREACHABLE } from '../../src/firewall/llama-cpp.ts'
import { OLLAMA_UNREACHABLE } from '../../src/firewall/ollama.ts'
import { OPENAI_UNREACHABLE } from '../../src/firewall/openai.ts'
import { VLLM_UNREACHABLE } from '../../src/firewall/vllm.ts'
import { type Gateway, type Llama, startGateway, startLlama } from '../support/index.ts'
import { chat, type Rig, replies } from './rig.ts'

const KINDS = {
  'llama.cpp': LLAMA_CPP_UNREACHABLE,
  vllm: VLLM_UNREACHABLE,
  ollama: OLLAMA_UNREACHABLE,
  openai: OPENAI_UNREACHABLE,
}

const ALWAYS = ['GET', 'POST', 'DELETE']

const rowsOf = (kind: keyof typeof KINDS) =>
  KINDS[kind].flatMap(({ methods, paths }) => paths.flatMap(path => methods.map(method => ({ method, path }))))

/** Other ways to write a path, of which none may come out as that path. */
const TRICKS: readonly ((path: string, upstream: string) => string)[] = [
  path => path,
  path => `${path}/`,
  path => `${path}?x=/v1/chat/completions`,
  path => `${path}#/v1/chat/completions`,
  path => `${path};/v1/chat/completions`,
  path => `${path}%00`,
  path => `${path}%20`,
  path => `/${path}`,
  path => `/.${path}`,
  path => path.toUpperCase(),
  path => path.replaceAll('/', '\\'),
  path => path.replaceAll('/', '%2f'),
  path => `/%${path.charCodeAt(1).toString(16)}${path.slice(2)}`,
  path => `/v1${path}`,
  path => `/v1/..${path}`,
  path => `/v1/%2e%2e${path}`,
  path => `/v1/chat/completions/../../..${path}`,
  path => `/v1/chat/completions/..%2f..%2f..${path}`,
  path => `/v1/chat/completions${path}`,
  path => `/v1/chat/completions?/../..${path}`,
  path => `/v1/models/..%2f..${path}`,
  path => `/v1/models/../..${path}`,
  (path, upstream) => upstream + path,
  path => `http://localhost${path}`,
]

/** What a model server reads paths from beside the request line. */
const REWRITES = ['x-original-url', 'x-rewrite-url', 'x-forwarded-path', 'x-http-method-override']

export function unreachable(rig: Rig): void {
  describe.each(Object.keys(KINDS) as (keyof typeof KINDS)[])('of %s', kind => {
    test('nothing is found by any method, and the model server never hears of it', async () => {
      const token = await rig.token()
      rig.answers(replies({ leaked: true }))
      const rows = KINDS[kind].flatMap(({ methods, paths }) =>
        paths.flatMap(path => [...new Set([...methods, ...ALWAYS])].map(method => ({ method, path }))),
      )
      expect(rows.length).toBeGreaterThan(20)
      const seen = await rig.seen(async () => {
        for (const { method, path } of rows) {
          const reply = await rig.send(method === 'POST' ? chat() : undefined, { path, method, token })
          expect(`${method} ${path} ${reply.status}`).toBe(`${method} ${path} 404`)
          if (method !== 'HEAD') expect(reply.json()['error'].code).toBe('not_found')
        }
      })
      expect(seen).toBe(0)
    })
  })

  test.each(['/slots', '/lora-adapters', '/v1/load_lora_adapter', '/collective_rpc', '/sleep', '/api/delete'])(
    '%s is not reached by any way to write it',
    async path => {
      const token = await rig.token()
      rig.answers(replies({ leaked: true }))
      const seen = await rig.seen(async () => {
        for (const trick of TRICKS) {
          const target = trick(path, rig.upstream.url)
          for (const method of ALWAYS) {
            const answer = await raw(rig.gateway.port, method, target, token)
            expect(`${method} ${target} ${answer.slice(0, 13)}`).toMatch(/ HTTP\/1\.1 4(?:00|04|05|15)/)
            expect(answer).not.toContain('leaked')
          }
        }
        for (const header of REWRITES) {
          const reply = await rig.send(undefined, { path: '/x', method: 'POST', token, headers: { [header]: path } })
          expect(reply.status).toBe(404)
        }
      })
      expect(seen).toBe(0)
    },
  )

  describe('a real llama-server', () => {
    let llama: Llama
    let gateway: Gateway
    beforeAll(async () => {
      llama = await startLlama()
      const upstreams = [{ url: `${llama.url}/v1`, kind: 'llama.cpp' }]
      gateway = await startGateway({ runtime: rig.runtime, config: { models: [{ id: 'tiny', upstreams }] } })
    })
    afterAll(async () => {
      await gateway?.stop()
      await llama?.stop()
    })

    test('has most of its list, and none of it through the gateway', async () => {
      const token = await rig.token({}, {}, gateway)
      let there = 0
      for (const { method, path } of rowsOf('llama.cpp')) {
        const direct = await fetch(llama.url + path, {
          method,
          signal: AbortSignal.timeout(5000),
          ...(method === 'POST' && { body: '{}', headers: { 'content-type': 'application/json' } }),
        })
        await direct.arrayBuffer()
        if (direct.status !== 404) there++
        const body = method === 'POST' ? chat() : undefined
        const reply = await rig.send(body, { path, method, token, gateway })
        expect(`${method} ${path} ${reply.status}`).toBe(`${method} ${path} 404`)
        expect(reply.json()['error'].code).toBe('not_found')
      }
      // The others are those of its router and of other programs.
      expect(there).toBeGreaterThanOrEqual(35)
    })
  })
}

/** Sends a request as it is written, and gives what comes back until the connection closes, or for two seconds. */
async function raw(port: number, method: string, target: string, token: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.setTimeout(2000, () => socket.end())
  socket.on('error', () => undefined)
  const head = `${method} ${target} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\nconnection: close\r\n`
  socket.write(`${head}content-length: 0\r\n\r\n`)
  return readAll(socket).catch(() => '')
}
