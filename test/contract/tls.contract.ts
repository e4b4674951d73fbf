import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { type Context, type Env, Hono } from 'hono'
import { makeLeaf, remake } from '../../adapters/cli/certs/make-certificate.ts'
import { makeRevocationList } from '../../adapters/cli/certs/make-revocation-list.ts'
import type { RunningServer, ServeOptions, TlsFiles } from '../../adapters/node/server.ts'
import { nodeTransport } from '../../adapters/node/transport.ts'
import type { AnswerSink } from '../../src/ports/transport.ts'
import { signerOf } from '../support/certificates.ts'
import { type Files, type Identity, makeFiles } from './certificates.ts'
import { type Check, sleep, until } from './check.ts'

type Serve = <E extends Env>(options: ServeOptions<E>) => Promise<RunningServer>

const listen = { host: '127.0.0.1', port: 0 }
const STREAMS = 100
const DAY_MS = 86_400_000
/** A look a second, on a busy machine. */
const RELOAD_MS = 10_000

/** A running server, and what it told and sees. */
interface Rig {
  readonly files: Files
  readonly server: RunningServer
  readonly counted: Map<string, number>
  readonly logged: { readonly event: string; readonly fields: Readonly<Record<string, unknown>> }[]
  /** The streams of `/stream` that are open. */
  readonly sinks: Set<AnswerSink>
  /** Who the server says that this caller is, or the failure to reach it. */
  ask(identity?: Identity, agent?: Agent): Promise<string>
}

/** What every server must do with certificates. */
export function tlsChecks(serve: Serve): Check[] {
  const check = (name: string, tls: (files: Files) => Partial<TlsFiles>, run: (rig: Rig) => Promise<void>): Check => ({
    name,
    async run() {
      const files = makeFiles()
      const counted: Rig['counted'] = new Map()
      const logged: Rig['logged'] = []
      const sinks = new Set<AnswerSink>()
      const telemetry: ServeOptions['telemetry'] = {
        log: (_, event, fields = {}) => logged.push({ event, fields }),
        count: (metric: string, labels: Readonly<Record<string, string>> = {}, by = 1) => {
          const series = [metric, ...Object.values(labels)].join(' ')
          counted.set(series, (counted.get(series) ?? 0) + by)
        },
      }
      const { cert, key, ca } = files
      const server = await serve({ app: probe(sinks), listen, tls: { cert, key, ...tls(files) }, telemetry })
      const ask: Rig['ask'] = (identity, agent) => fetchText(server.port, '/', { ca, ...identity }, agent)
      try {
        await run({ files, server, counted, logged, sinks, ask })
      } finally {
        await server.close(0)
        files.remove()
      }
    },
  })
  const refusesToStart = (name: string, tls: (files: Files) => Partial<TlsFiles>, message: RegExp): Check => ({
    name,
    async run() {
      const files = makeFiles()
      const { cert, key, clientCa } = files
      const telemetry = { log: () => {}, count: () => {} }
      const all = { cert, key, clientCa, ...tls(files) }
      try {
        await assert.rejects(serve({ app: new Hono(), listen, tls: all, telemetry }), error => {
          assert.ok(error instanceof Error)
          assert.equal(error.name, 'StartError')
          assert.match(error.message, message)
          assert.doesNotMatch(error.message, /PRIVATE/)
          return true
        })
      } finally {
        files.remove()
      }
    },
  })
  const refusals = (counted: Rig['counted'], reason: string): number =>
    counted.get(`sallyport_tls_handshakes_refused_total ${reason}`) ?? 0

  return [
    check(
      'serves TLS',
      () => ({}),
      async ({ server, ask }) => {
        assert.match(server.url, /^https:\/\/127\.0\.0\.1:\d+$/)
        assert.equal(await ask(), 'nobody')
      },
    ),
    check(
      'asks for no certificate with clientAuth off',
      ({ clientCa }) => ({ clientCa, clientAuth: 'off' }),
      async rig => {
        assert.equal(await rig.ask(rig.files.foreign), 'nobody')
      },
    ),
    ...(['required', 'optional'] as const).map(clientAuth =>
      check(
        `${clientAuth}: takes good certificates and refuses all others, by reason`,
        ({ clientCa, crl }) => ({ clientCa, crl, clientAuth }),
        async ({ files, counted, ask }) => {
          const name = `CN=billing ${thumbprint(files.client)}`
          assert.equal(await ask(files.client), name)
          if (clientAuth === 'optional') assert.equal(await ask(), 'nobody')
          else await assert.rejects(ask())
          for (const bad of ['foreign', 'expired', 'wrong'] as const) await assert.rejects(ask(files[bad]), bad)
          await until('counters', () => refusals(counted, 'wrong_usage') === 1)
          assert.equal(refusals(counted, 'unknown_authority'), 1)
          assert.equal(refusals(counted, 'expired'), 1)
          assert.equal(refusals(counted, 'no_certificate'), clientAuth === 'required' ? 1 : 0)
          files.revoke(files.other.made)
          await until('the new list', () => counted.get('sallyport_certificate_reloads_total loaded') === 1, RELOAD_MS)
          await assert.rejects(ask(files.other))
          assert.equal(refusals(counted, 'revoked'), 1)
          assert.equal(await ask(files.client), name)
        },
      ),
    ),
    check(
      'TLS 1.3 alone, where that is asked for',
      () => ({ minVersion: 'TLSv1.3' }),
      async ({ server, files }) => {
        const old = connect({ port: server.port, host: '127.0.0.1', ca: files.ca, maxVersion: 'TLSv1.2' })
        await assert.rejects(secured(old))
        const current = connect({ port: server.port, host: '127.0.0.1', ca: files.ca })
        await secured(current)
        assert.equal(current.getProtocol(), 'TLSv1.3')
        current.destroy()
      },
    ),
    check(
      'TLS 1.2 with forward secrecy and authenticated encryption alone, and without a second handshake',
      ({ clientCa }) => ({ clientCa }),
      async ({ server, files }) => {
        const { ca, client } = files
        const options = { port: server.port, host: '127.0.0.1', ca, cert: client.cert, key: client.key }
        const old = { ...options, maxVersion: 'TLSv1.2' } as const
        for (const ciphers of ['ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES256-SHA']) {
          await assert.rejects(secured(connect({ ...old, ciphers })), ciphers)
        }
        const fine = connect(old)
        await secured(fine)
        assert.match(fine.getCipher().name, /^ECDHE-ECDSA-(AES\d+-GCM|CHACHA20)/)
        fine.destroy()
        const [certificate, key] = [files.path('client.pem', client.cert), files.path('client-key.pem', client.key)]
        assert.match(await renegotiate(server.port, certificate, key), /RENEGOTIATING[^]*no renegotiation/)
      },
    ),
    check(
      'speaks HTTP/1.1, whatever else is offered, also with new certificates',
      () => ({}),
      async ({ server, files, counted }) => {
        const agreed = async (...ALPNProtocols: string[]) => {
          const socket = connect({ port: server.port, host: '127.0.0.1', ca: files.ca, ALPNProtocols })
          await secured(socket)
          const { alpnProtocol } = socket
          socket.destroy()
          return alpnProtocol
        }
        const both = () => agreed('h2', 'http/1.1')
        assert.equal(await both(), 'http/1.1')
        await assert.rejects(agreed('h2'))
        files.path('server.pem', `${files.wrong.cert}\n`)
        await until('the reload', () => counted.get('sallyport_certificate_reloads_total loaded') === 1, RELOAD_MS)
        assert.equal(await both(), 'http/1.1')
        await assert.rejects(agreed('h2'))
      },
    ),
    check(
      `takes new certificates while ${STREAMS} streams run: none breaks, and new handshakes see them`,
      ({ clientCa }) => ({ clientCa }),
      async ({ files, server, counted, sinks, ask }) => {
        const { ca, client } = files
        const texts = Array.from({ length: STREAMS }, () => fetchText(server.port, '/stream', { ca, ...client }))
        await until('all streams', () => sinks.size === STREAMS, 10_000)
        for (const sink of sinks) sink.write(bytes('before '))
        const before = await serialOf(server.port, ca, client)
        const renewed = makeLeaf(
          { name: 'renewed', use: 'server', names: [{ kind: 'ip', value: '127.0.0.1' }] },
          files.signer,
          2,
          Date.now(),
        )
        // The key first: for a moment the two do not fit.
        files.path('server-key.pem', renewed.keyPem)
        await sleep(20)
        files.path('server.pem', renewed.pem)
        await until('the reload', () => counted.get('sallyport_certificate_reloads_total loaded') === 1, RELOAD_MS)
        const serial = await serialOf(server.port, ca, client)
        assert.notEqual(serial, before)
        assert.equal(serial, renewed.certificate.serialNumber)
        assert.match(await ask(client), /^CN=billing /)
        for (const sink of sinks) {
          sink.write(bytes('after'))
          sink.end()
        }
        assert.deepEqual(new Set(await Promise.all(texts)), new Set(['before after']))
      },
    ),
    check(
      'keeps what it has when new files are no good',
      ({ clientCa }) => ({ clientCa }),
      async rig => {
        const { files, counted, logged, ask } = rig
        const failed = (): number => counted.get('sallyport_certificate_reloads_total failed') ?? 0
        files.path('ca.pem', 'no certificate')
        await until('the failure', () => failed() === 1, RELOAD_MS)
        assert.match(
          String(logged.find(({ event }) => event === 'certificates_not_reloaded')?.fields['reason']),
          /ca\.pem/,
        )
        assert.match(await ask(files.client), /^CN=billing /)
        rmSync(files.key)
        await until('the second failure', () => failed() === 2, RELOAD_MS)
        assert.match(await ask(files.client), /^CN=billing /)
      },
    ),
    check(
      'keeps what it has when new files have ended',
      ({ clientCa, crl }) => ({ clientCa, crl }),
      async ({ files, counted, logged, ask }) => {
        const long = Date.now() - 10 * DAY_MS
        const names = [{ kind: 'ip', value: '127.0.0.1' }] as const
        const old = makeLeaf({ name: 'server', use: 'server', names }, files.signer, 2, long)
        files.path('server.pem', old.pem)
        files.path('server-key.pem', old.keyPem)
        files.path('crl.pem', makeRevocationList(files.signer, undefined, undefined, 2, long))
        await until('the failure', () => counted.has('sallyport_certificate_reloads_total failed'), RELOAD_MS)
        assert.match(await ask(files.client), /^CN=billing /)
        assert.equal(counted.has('sallyport_certificate_reloads_total loaded'), false)
        assert.match(JSON.stringify(logged), /server\.pem: has expired|does not belong/)
      },
    ),
    check(
      'takes nobody by a list that has ended: on no new connection, no resumed session, no open connection',
      f => ({ clientCa: f.clientCa, crl: f.path('short.pem', listEndingIn(f, 4)) }),
      async ({ files, server, counted, ask }) => {
        const options = { port: server.port, host: '127.0.0.1', ca: files.ca, ...identityOf(files.client) }
        const agent = new Agent({ keepAlive: true, maxSockets: 1 })
        assert.match(await ask(files.client, agent), /billing/)
        const session = await sessionOf(options)
        await sleep(4200)
        await assert.rejects(ask(files.client, agent))
        await assert.rejects(ask(files.client))
        const again = connect({ ...options, session })
        again.write('GET / HTTP/1.1\r\nhost: test\r\n\r\n')
        assert.equal(await everything(again), '')
        assert.equal(refusals(counted, 'revocation_list_expired'), 2)
        agent.destroy()
      },
    ),
    check(
      'cuts off whom a new list names, and nobody else',
      ({ clientCa, crl }) => ({ clientCa, crl }),
      async rig => {
        const { files, server, counted, sinks } = rig
        const { ca, client, other } = files
        const agents = [client, other].map(() => new Agent({ keepAlive: true, maxSockets: 1 }))
        const [good, bad] = agents as [Agent, Agent]
        assert.match(await rig.ask(client, good), /billing/)
        assert.match(await rig.ask(other, bad), /search/)
        const kept = fetchText(server.port, '/stream', { ca, ...client })
        await until('one stream', () => sinks.size === 1)
        const lost = assert.rejects(fetchText(server.port, '/stream', { ca, ...other }))
        await until('two streams', () => sinks.size === 2)
        files.revoke(other.made)
        await until('the reload', () => counted.get('sallyport_certificate_reloads_total loaded') === 1, RELOAD_MS)
        await lost
        await until('one stream left', () => sinks.size === 1)
        await assert.rejects(rig.ask(other, bad))
        assert.match(await rig.ask(client, good), /billing/)
        for (const sink of sinks) sink.end()
        assert.equal(await kept, '')
        for (const agent of agents) agent.destroy()
      },
    ),
    check(
      'follows its authorities: adds one, and lets go of one',
      ({ clientCa }) => ({ clientCa }),
      async rig => {
        const { files, counted, server, sinks } = rig
        const loaded = (): number => counted.get('sallyport_certificate_reloads_total loaded') ?? 0
        const { cert, key } = files.client
        // The second shows the authority's certificate that stays: anybody has it, and it does not speak for him.
        const lost = [cert, cert + files.foreignCa.pem].map(shown =>
          assert.rejects(fetchText(server.port, '/stream', { ca: files.ca, cert: shown, key })),
        )
        await until('two streams', () => sinks.size === 2)
        files.path('ca.pem', files.ca + files.foreignCa.pem)
        await until('both', () => loaded() === 1, RELOAD_MS)
        assert.match(await rig.ask(files.foreign), /billing/)
        assert.equal(sinks.size, 2)
        files.path('ca.pem', files.foreignCa.pem)
        await until('the new one', () => loaded() === 2, RELOAD_MS)
        await until('both are cut off', () => sinks.size === 0)
        await Promise.all(lost)
        await assert.rejects(rig.ask(files.client))
        assert.match(await rig.ask(files.foreign), /billing/)
      },
    ),
    check(
      'no session outlives the certificate that it was made with',
      ({ clientCa, crl }) => ({ clientCa, crl }),
      async rig => {
        const { files, server, counted } = rig
        const options = { port: server.port, host: '127.0.0.1', ca: files.ca, ...identityOf(files.other) }
        const session = await sessionOf(options)
        files.revoke(files.other.made)
        await until('the reload', () => counted.get('sallyport_certificate_reloads_total loaded') === 1, RELOAD_MS)
        const again = connect({ ...options, session })
        again.write('GET / HTTP/1.1\r\nhost: test\r\n\r\n')
        assert.equal(await everything(again), '')
      },
    ),
    check(
      'takes no request on a connection whose certificate has ended',
      ({ clientCa }) => ({ clientCa }),
      async rig => {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 })
        const identity = rig.files.endingIn(4)
        assert.match(await rig.ask(identity, agent), /short/)
        await sleep(4200)
        await assert.rejects(rig.ask(identity, agent))
        agent.destroy()
      },
    ),
    check(
      'takes nobody of an authority that has ended: on no new connection, no resumed session, no open connection',
      f => {
        const long = Date.now() + 4000 - 2 * DAY_MS
        return { clientCa: f.path('ca.pem', remake(f.signer.certificate, f.signer, 2, long).pem + f.foreignCa.pem) }
      },
      async ({ files, server, counted, ask }) => {
        const options = { port: server.port, host: '127.0.0.1', ca: files.ca, ...identityOf(files.client) }
        const [agent, other] = [new Agent({ keepAlive: true, maxSockets: 1 }), new Agent({ keepAlive: true })]
        assert.match(await ask(files.client, agent), /billing/)
        assert.match(await ask(files.foreign, other), /billing/)
        const session = await sessionOf(options)
        await sleep(4200)
        await assert.rejects(ask(files.client, agent))
        await assert.rejects(ask(files.client))
        const again = connect({ ...options, session })
        again.write('GET / HTTP/1.1\r\nhost: test\r\n\r\n')
        assert.equal(await everything(again), '')
        assert.equal(refusals(counted, 'expired'), 2)
        // The other authority's callers go on, and those of the first when it has been renewed.
        assert.match(await ask(files.foreign, other), /billing/)
        assert.match(await ask(files.foreign), /billing/)
        files.path('ca.pem', files.ca + files.foreignCa.pem)
        await until('the reload', () => counted.get('sallyport_certificate_reloads_total loaded') === 1, RELOAD_MS)
        assert.match(await ask(files.client), /billing/)
        for (const one of [agent, other]) one.destroy()
      },
    ),
    check(
      'takes lists beside an authority with a key of another type',
      f => {
        const other = edwardsAuthority(f.dir)
        return {
          clientCa: f.path('ca.pem', other.pem + f.ca),
          crl: f.path('crl.pem', readFileSync(f.crl, 'utf8') + other.list),
        }
      },
      async ({ files, counted, ask }) => {
        assert.match(await ask(files.client), /billing/)
        assert.match(await ask(files.other), /search/)
        const kept = readFileSync(`${files.dir}/edwards.crl`, 'utf8')
        files.revoke(files.other.made)
        files.path('crl.pem', kept + readFileSync(files.crl, 'utf8'))
        await until('the reload', () => counted.get('sallyport_certificate_reloads_total loaded') === 1, RELOAD_MS)
        await assert.rejects(ask(files.other))
        assert.equal(refusals(counted, 'revoked'), 1)
        assert.match(await ask(files.client), /billing/)
      },
    ),
    check(
      'warns of what ends soon',
      () => ({}),
      async ({ logged, counted }) => {
        assert.equal(logged.find(({ event }) => event === 'certificate_expires')?.fields['days'], 1)
        assert.equal(counted.get('sallyport_certificate_expiry_warnings_total server_certificate urgent'), 1)
      },
    ),
    refusesToStart(
      'names a file that is missing',
      () => ({ cert: '/no/server.pem' }),
      /\/no\/server\.pem: there is no such file/,
    ),
    refusesToStart(
      'names a certificate that is none',
      f => ({ cert: f.path('bad.pem', 'x') }),
      /bad\.pem: not a PEM cert/,
    ),
    refusesToStart(
      'names a key that is none',
      f => ({ key: f.path('bad.pem', 'x') }),
      /bad\.pem: not a PEM private key/,
    ),
    refusesToStart(
      'names an authority that is none',
      f => ({ clientCa: f.path('bad.pem', 'x') }),
      /bad\.pem: not a PEM/,
    ),
    refusesToStart(
      'names a key of another certificate',
      f => ({ key: f.path('key.pem', f.client.key) }),
      /key\.pem.*does not belong/,
    ),
    refusesToStart(
      'names a certificate that has ended',
      ({ path, expired }) => {
        return { cert: path('old.pem', expired.cert), key: path('old-key.pem', expired.key) }
      },
      /old\.pem: has expired/,
    ),
    refusesToStart('names a list that is none', f => ({ crl: f.clientCa }), /ca\.pem: not a PEM revocation list/),
    refusesToStart(
      'names a list of another authority',
      f => ({
        crl: f.path('crl2.pem', makeRevocationList(signerOf(f.foreignCa), undefined, undefined, 1, Date.now())),
      }),
      /crl2\.pem: not signed by an authority/,
    ),
    refusesToStart(
      'names an authority without a list',
      f => ({ clientCa: f.path('two.pem', f.ca + f.foreignCa.pem), crl: f.crl }),
      /crl\.pem: has no list of CN=Foreign CA, an authority of tls\.clientCa/,
    ),
    refusesToStart(
      'names an authority whose own is missing',
      f => ({ clientCa: f.path('part.pem', f.client.cert) }),
      /part\.pem: CN=billing is signed by an authority that is not in the file/,
    ),
    refusesToStart(
      'names a list that is not good yet',
      f => ({
        crl: f.path('new.pem', makeRevocationList(f.signer, undefined, undefined, 1, Date.now() + 2 * DAY_MS)),
      }),
      /new\.pem: is not valid before/,
    ),
    refusesToStart(
      'names a list that has ended',
      f => ({
        crl: f.path('old.pem', makeRevocationList(f.signer, undefined, undefined, 1, Date.now() - 172_800_000)),
      }),
      /old\.pem: has expired/,
    ),
  ]
}

/** Tells callers who they are; streams what the test writes. */
function probe(sinks: Set<AnswerSink>): Hono {
  const app = new Hono()
  app.get('/', (c: Context) => {
    const connection = nodeTransport.connection(c)
    const { clientCertificate: caller } = connection
    const text = caller ? `${caller.subject} ${caller.thumbprint}` : 'nobody'
    return connection.respond({ status: 200, headers: {}, body: bytes(text) })
  })
  app.get('/stream', (c: Context) => {
    let mine: AnswerSink | undefined
    const body = {
      start(sink: AnswerSink): void {
        mine = sink
        sinks.add(sink)
      },
      resume(): void {},
      cancel: () => void (mine && sinks.delete(mine)),
    }
    return nodeTransport.connection(c).respond({ status: 200, headers: {}, body })
  })
  return app
}

/** An authority with a key on Ed25519 and its list, which OpenSSL makes. */
function edwardsAuthority(dir: string): { readonly pem: string; readonly list: string } {
  const file = (name: string): string => `${dir}/edwards${name}`
  const run = (...args: string[]): unknown => execFileSync('openssl', args, { stdio: 'pipe' })
  writeFileSync(file('.txt'), '')
  writeFileSync(file('.cnf'), `[ca]\ndefault_ca=d\n[d]\ndatabase=${file('.txt')}\ndefault_md=default\n`)
  const pair = ['-keyout', file('-key.pem'), '-out', file('.pem')]
  run('req', '-x509', '-newkey', 'ed25519', '-nodes', '-days', '2', '-subj', '/CN=Edwards CA', ...pair)
  const by = ['-config', file('.cnf'), '-keyfile', file('-key.pem'), '-cert', file('.pem')]
  run('ca', '-gencrl', ...by, '-crldays', '2', '-out', file('.crl'))
  return { pem: readFileSync(file('.pem'), 'utf8'), list: readFileSync(file('.crl'), 'utf8') }
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function thumbprint({ made }: Files['client']): string {
  return Buffer.from(made.certificate.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url')
}

async function serialOf(port: number, ca: string, { cert, key }: Identity): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', ca, cert, key })
  await secured(socket)
  const { serialNumber } = socket.getPeerCertificate()
  socket.destroy()
  return serialNumber
}

/** What a client keeps to begin the next connection with. */
async function sessionOf(options: ConnectionOptions): Promise<Buffer> {
  const first = connect(options)
  const session = await new Promise<Buffer>((resolve, reject) => {
    first.once('session', resolve).once('error', reject)
    first.write('GET / HTTP/1.1\r\nhost: test\r\n\r\n')
  })
  first.destroy()
  return session
}

function identityOf({ cert, key }: Identity): Identity {
  return { cert, key }
}

function listEndingIn({ signer }: Files, seconds: number): string {
  return makeRevocationList(signer, undefined, undefined, 1, Date.now() - DAY_MS + seconds * 1000)
}

/** What OpenSSL's client says when it asks for a second handshake. One that is let do it goes on, until it is ended. */
function renegotiate(port: number, cert: string, key: string): Promise<string> {
  return new Promise(resolve => {
    const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-tls1_2', '-cert', cert, '-key', key]
    const child = spawn('openssl', args, { stdio: 'pipe', timeout: 8000 })
    let text = ''
    let asked = false
    const listen = (data: Buffer) => {
      text += String(data)
      // Printed last of what it tells about the first one.
      if (!asked && text.includes('Extended master secret')) asked = child.stdin.write('R\n')
    }
    child.stdout.on('data', listen)
    child.stderr.on('data', listen)
    child.stdin.on('error', () => {})
    child.on('close', () => resolve(text))
  })
}

function secured(socket: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('secureConnect', resolve).once('error', reject)
  })
}

/** What arrives until the connection ends, however it does. */
function everything(socket: TLSSocket): Promise<string> {
  return new Promise(resolve => {
    let text = ''
    socket.on('data', data => {
      text += String(data)
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
    setTimeout(() => socket.destroy(), 2000).unref()
  })
}

function fetchText(
  port: number,
  path: string,
  { ca, cert, key }: { ca: string; cert?: string; key?: string },
  agent: Agent | false = false,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const identity = cert === undefined || key === undefined ? {} : { cert, key }
    const sent = request({ host: '127.0.0.1', port, path, agent, timeout: 8000, ca, ...identity }, response => {
      let text = ''
      response.on('data', chunk => {
        text += String(chunk)
      })
      response.on('end', () => resolve(text))
      response.on('aborted', () => reject(new Error('aborted')))
      response.on('error', reject)
    })
    sent.on('error', reject)
    sent.on('timeout', () => sent.destroy(new Error('timed out')))
    sent.end()
  })
}
