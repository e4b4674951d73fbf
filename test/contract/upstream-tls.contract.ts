import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls'
import type { ClientTls, ClientTlsOf } from '../../adapters/node/tls/client-tls.ts'
import type { Upstream, UpstreamFailure } from '../../src/ports/upstream.ts'
import { pemOf, type TestCa, testCa } from '../support/test-ca.ts'
import { type Check, until } from './check.ts'

interface Seen {
  /** The client's certificate. */
  readonly name: string | undefined
  readonly asked: unknown
}

interface Server {
  readonly port: number
  readonly seen: Seen[]
  close(): Promise<void>
}

interface Told {
  readonly status: number
  readonly text: string
  readonly failure: UpstreamFailure | undefined
}

/** What every adapter to model servers must do with TLS, with certificates made by the `openssl` command. */
export function upstreamTlsChecks(create: (tlsOf: ClientTlsOf) => Upstream): Check[] {
  const check = (name: string, run: (ca: TestCa, other: TestCa, setUp: SetUp) => Promise<void>): Check => ({
    name: `TLS: ${name}`,
    async run() {
      const folder = mkdtempSync(join(tmpdir(), 'tls-'))
      const closes: (() => Promise<void>)[] = []
      const setUp: SetUp = {
        async server(options) {
          const server = await startServer(options)
          closes.push(server.close)
          return server
        },
        upstream(tlsOf) {
          const upstream = create(tlsOf)
          closes.unshift(() => upstream.close())
          return upstream
        },
      }
      try {
        await run(testCa(folder), testCa(folder, 'other'), setUp)
      } finally {
        for (const close of closes) await close()
        rmSync(folder, { recursive: true, force: true })
      }
    },
  })
  const pem = (ca: TestCa) => pemOf(ca).cert
  /** One call with these settings. */
  const ask = (setUp: SetUp, server: Server, tls: ClientTls | undefined, host = '127.0.0.1') =>
    call(
      setUp.upstream(() => tls),
      `https://${host}:${server.port}/`,
    )

  return [
    check('an authority of our own, in place of all others', async (ca, other, setUp) => {
      const server = await setUp.server(pemOf(ca.issue('server')))
      for (const host of ['127.0.0.1', 'localhost']) {
        assert.deepEqual(await ask(setUp, server, { ca: pem(ca) }, host), {
          status: 200,
          text: '{}',
          failure: undefined,
        })
      }
      const reached = server.seen.length
      for (const tls of [undefined, { ca: pem(other) }]) {
        const { failure, status } = await ask(setUp, server, tls)
        assert.equal(failure?.kind, 'tls')
        assert.match(
          failure?.message ?? '',
          /^https:\/\/127\.0\.0\.1:\d+ is not trusted: its certificate is of an unknown authority/,
        )
        assert.equal(status, 0)
      }
      assert.equal(server.seen.length, reached)
    }),
    check('the name has to be right: that of the URL, or the one that is set', async (ca, _, setUp) => {
      const server = await setUp.server(pemOf(ca.issue('server', 'DNS:model.internal')))
      const { failure } = await ask(setUp, server, { ca: pem(ca) }, 'localhost')
      assert.equal(failure?.kind, 'tls')
      assert.match(failure?.message ?? '', /for another name/)
      for (const host of ['127.0.0.1', 'localhost']) {
        assert.equal((await ask(setUp, server, { ca: pem(ca), serverName: 'model.internal' }, host)).status, 200)
        assert.equal(server.seen.at(-1)?.asked, 'model.internal')
      }
      const local = await setUp.server(pemOf(ca.issue('local')))
      const wrong = await ask(setUp, local, { ca: pem(ca), serverName: 'model.internal' }, 'localhost')
      assert.equal(wrong.failure?.kind, 'tls')
      assert.equal(local.seen.length, 0)
    }),
    check('an expired certificate is refused', async (ca, _, setUp) => {
      const server = await setUp.server(pemOf(ca.issue('late', undefined, -1)))
      const { failure } = await ask(setUp, server, { ca: pem(ca) })
      assert.equal(failure?.kind, 'tls')
      assert.match(failure?.message ?? '', /expired/)
    }),
    check('NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment changes nothing', async (ca, other, setUp) => {
      const server = await setUp.server(pemOf(ca.issue('server', 'DNS:model.internal')))
      process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
      try {
        for (const tls of [undefined, { ca: pem(other) }, { ca: pem(ca) }]) {
          assert.equal((await ask(setUp, server, tls)).failure?.kind, 'tls')
        }
      } finally {
        delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
      }
      assert.equal(server.seen.length, 0)
    }),
    check(
      'shows its own certificate; without it, or with a foreign one, nothing is served',
      async (ca, other, setUp) => {
        const demands = { requestCert: true, rejectUnauthorized: true, ca: pem(ca) }
        const server = await setUp.server({ ...pemOf(ca.issue('server')), ...demands })
        const own = { ca: pem(ca), ...pemOf(ca.issue('gateway')) }
        assert.equal((await ask(setUp, server, own)).status, 200)
        assert.equal(server.seen.at(-1)?.name, 'gateway')
        for (const tls of [{ ca: pem(ca) }, { ca: pem(ca), ...pemOf(other.issue('gateway')) }]) {
          const { status, failure } = await ask(setUp, server, tls)
          assert.equal(status, 0)
          // The alert that says so may be lost to the reset that follows it.
          assert.ok(failure?.kind === 'tls' || failure?.kind === 'reset', JSON.stringify(failure))
        }
        assert.equal(server.seen.length, 1)
      },
    ),
    check('TLS that is none', async (ca, _, setUp) => {
      const server = await setUp.server({ ...pemOf(ca.issue('server')), minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' })
      const { failure } = await ask(setUp, server, { ca: pem(ca) })
      assert.equal(failure?.kind, 'tls')
    }),
    check('new settings count from the next call on; an answer in progress goes on', async (ca, other, setUp) => {
      const both = pem(ca) + pem(other)
      const demands = { requestCert: true, rejectUnauthorized: true, ca: both }
      const server = await setUp.server({ ...pemOf(ca.issue('server')), ...demands })
      let tls: ClientTls = { ca: both, ...pemOf(ca.issue('first')) }
      const upstream = setUp.upstream(() => tls)
      const url = `https://127.0.0.1:${server.port}`
      for (let time = 0; time < 2; time++) assert.equal((await call(upstream, `${url}/`)).status, 200)
      const slow = call(upstream, `${url}/slow`)
      await until('the slow one', () => server.seen.length === 3)
      tls = { ca: both, ...pemOf(other.issue('second')) }
      for (let time = 0; time < 2; time++) assert.equal((await call(upstream, `${url}/`)).status, 200)
      assert.deepEqual(
        server.seen.map(({ name }) => name),
        ['first', 'first', 'first', 'second', 'second'],
      )
      assert.deepEqual(await slow, { status: 200, text: '{}', failure: undefined })
      // An authority that is no longer trusted is so at once, whatever connections are open.
      tls = { ca: pem(other) }
      assert.equal((await call(upstream, `${url}/`)).failure?.kind, 'tls')
    }),
  ]
}

interface SetUp {
  server(options: TlsOptions): Promise<Server>
  upstream(tlsOf: ClientTlsOf): Upstream
}

function call(upstream: Upstream, url: string): Promise<Told> {
  return new Promise(resolve => {
    let status = 0
    let text = ''
    upstream.send(
      { method: 'GET', url, headers: {} },
      {
        onHead: received => {
          status = received
        },
        onData: chunk => {
          text += new TextDecoder().decode(chunk)
        },
        onEnd: () => resolve({ status, text, failure: undefined }),
        onFailure: failure => resolve({ status, text, failure }),
      },
    )
  })
}

async function startServer(options: TlsOptions): Promise<Server> {
  const seen: Seen[] = []
  const sockets = new Set<TLSSocket>()
  const server = createServer(options, socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', request => {
      // Without a client certificate it is empty, whatever the types say.
      const { subject } = socket.getPeerCertificate() as { subject?: { CN?: string } }
      seen.push({ name: subject?.CN, asked: (socket as { servername?: unknown }).servername })
      const answer = () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}')
      if (request.toString('latin1').startsWith('GET /slow')) setTimeout(answer, 300)
      else answer()
    })
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
