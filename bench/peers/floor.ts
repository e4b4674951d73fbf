import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createNodeUpstream } from '../../adapters/node/upstream.ts'
import type { UpstreamFlow } from '../../src/ports/upstream.ts'

/**
 * The least that a gateway on Node can cost: node:http towards callers, the gateway's own client towards the model server,
 * and nothing between. `node floor.ts PORT UPSTREAM_PORT`, on loopback only.
 */
const [port, upstreamPort] = process.argv.slice(2).map(Number)
const upstream = createNodeUpstream()
const HEADERS = { 'content-type': 'application/json', accept: 'application/json' }

createServer((incoming, outgoing) => {
  const chunks: Uint8Array[] = []
  incoming.on('data', (chunk: Uint8Array) => chunks.push(chunk)).on('end', () => forward(incoming, outgoing, chunks))
}).listen(port, '127.0.0.1')

function forward({ url }: IncomingMessage, outgoing: ServerResponse, chunks: readonly Uint8Array[]): void {
  const call = {
    method: 'POST',
    url: `http://127.0.0.1:${upstreamPort}${url}`,
    headers: HEADERS,
    body: Buffer.concat(chunks),
  } as const
  const flow: UpstreamFlow = upstream.send(call, {
    onHead: (status, { 'content-type': type = '', 'content-length': length }) =>
      outgoing.writeHead(status, {
        'content-type': type,
        ...(length === undefined ? {} : { 'content-length': length }),
      }),
    onData: chunk => {
      if (!outgoing.write(chunk)) flow.pause()
    },
    onEnd: () => outgoing.end(),
    onFailure: () => outgoing.destroy(),
  })
  outgoing.on('drain', () => flow.resume()).on('close', () => flow.cancel())
}
