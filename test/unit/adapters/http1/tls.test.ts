import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createServer, getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createNodeUpstream } from '../../../../adapters/node/upstream.ts'
import type { UpstreamFailure, UpstreamFlow } from '../../../../src/ports/upstream.ts'
import { tempDir } from '../../../support/temp-dir.ts'
import { waitFor } from '../../../support/wait.ts'

const PART = `10000\r\n${'a'.repeat(65_536)}\r\n`
const PARTS = 200

const seen: { protocol: unknown; name: unknown }[] = []
let resumed = 0
let port = 0
let trusted: string[]
let certificate: string
let server: ReturnType<typeof createServer>

beforeAll(async () => {
  const folder = tempDir()
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const options = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost'
  const names = ['-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', cert]
  execFileSync('openssl', ['req', ...options.split(' '), ...names], { stdio: 'pipe' })
  certificate = readFileSync(cert, 'utf8')
  server = createServer({ cert: certificate, key: readFileSync(key), ALPNProtocols: ['h2', 'http/1.1'] }, answer)
  server.on('tlsClientError', () => {})
  server.listen(0)
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
  trusted = getCACertificates('default')
})
afterAll(() => {
  setDefaultCACertificates(trusted)
  server.close()
})

function answer(socket: TLSSocket): void {
  seen.push({ protocol: socket.alpnProtocol, name: (socket as { servername?: unknown }).servername })
  if (socket.isSessionReused()) resumed += 1
  socket.on('error', () => {})
  socket.on('data', request => {
    const isLong = request.toString('latin1').includes('/long')
    if (!isLong) return void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}')
    socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n')
    for (let i = 0; i < PARTS; i += 1) socket.write(PART)
    return void socket.write('0\r\n\r\n')
  })
}

function ask(upstream: ReturnType<typeof createNodeUpstream>, path: string, closeAfter = false) {
  const told = {
    bytes: 0,
    isPaused: false,
    whilePaused: 0,
    ended: false,
    failure: undefined as UpstreamFailure | undefined,
  }
  const flow: UpstreamFlow = upstream.send(
    { method: 'GET', url: `https://localhost:${port}${path}`, headers: {}, closeAfter },
    {
      onHead: () => {},
      onData: chunk => {
        told.bytes += chunk.byteLength
        if (told.isPaused) told.whilePaused += 1
        told.isPaused = true
        flow.pause()
        setTimeout(() => {
          told.isPaused = false
          flow.resume()
        }, 1)
      },
      onEnd: () => {
        told.ended = true
      },
      onFailure: failure => {
        told.failure = failure
      },
    },
  )
  return waitFor('the end', () => told.ended || told.failure).then(() => told)
}

test('a certificate of nobody known is refused, before anything is sent', async () => {
  const upstream = createNodeUpstream()
  const { failure } = await ask(upstream, '/')
  expect(failure).toMatchObject({ kind: 'tls', message: expect.stringContaining('SELF_SIGNED_CERT') })
  await upstream.close()
})

test('over TLS: whole answers, pauses, one connection, HTTP/1.1, the name of the server, shorter handshakes', async () => {
  setDefaultCACertificates([...trusted, certificate])
  const upstream = createNodeUpstream()
  seen.length = 0
  expect(await ask(upstream, '/')).toMatchObject({ ended: true, bytes: 2 })
  expect(await ask(upstream, '/long')).toMatchObject({ ended: true, bytes: PARTS * 65_536, whilePaused: 0 })
  expect(seen).toEqual([{ protocol: 'http/1.1', name: 'localhost' }])
  expect(await ask(upstream, '/', true)).toMatchObject({ ended: true, bytes: 2 })
  expect(await ask(upstream, '/')).toMatchObject({ ended: true, bytes: 2 })
  expect({ connections: seen.length, resumed }).toEqual({ connections: 2, resumed: 1 })
  await upstream.close()
})
