import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { findModelServer } from '../../../adapters/node/find-model-server.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

async function listen(listener: RequestListener): Promise<number> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const lists =
  (...ids: string[]): RequestListener =>
  (request, response) => {
    response.statusCode = request.url === '/v1/models' ? 200 : 404
    response.end(JSON.stringify({ object: 'list', data: ids.map(id => ({ id })) }))
  }

test('the first usual place that answers with models is taken', async () => {
  const html = await listen((_, response) => response.end('<html>'))
  const none = await listen(lists())
  const one = await listen(lists('llama', 'qwen'))
  const two = await listen(lists('other'))
  const places = [
    { port: 1, kind: 'llama.cpp' },
    { port: html, kind: 'llama.cpp' },
    { port: none, kind: 'vllm' },
    { port: one, kind: 'vllm' },
    { port: two, kind: 'ollama' },
  ] as const
  expect(await findModelServer(places)).toEqual({
    url: `http://127.0.0.1:${one}/v1`,
    kind: 'vllm',
    models: ['llama', 'qwen'],
  })
})

test('a server that does not answer costs 300 ms, one that never stops or sends elsewhere counts for nothing', async () => {
  const silent = await listen(() => {})
  const endless = await listen((_, response) => {
    const timer = setInterval(() => response.write('x'.repeat(60_000)), 1)
    response.on('close', () => clearInterval(timer))
  })
  const target = await listen(lists('m'))
  const elsewhere = await listen((_, response) => {
    response.writeHead(302, { location: `http://127.0.0.1:${target}/v1/models` })
    response.end()
  })
  const since = performance.now()
  const places = [silent, endless, elsewhere].map(port => ({ port, kind: 'vllm' as const }))
  expect(await findModelServer(places)).toBeUndefined()
  expect(performance.now() - since).toBeLessThan(1000)
})
