import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Env, Hono } from 'hono'
import type { RunningServer, ServeOptions } from '../../adapters/node/server.ts'
import type { Check } from './check.ts'

type Serve = <E extends Env>(options: ServeOptions<E>) => Promise<RunningServer>

const telemetry = { log: () => {}, count: () => {} }
const listen = { host: '127.0.0.1', port: 0 }

/** What every server must do with certificate files. Makes them with the `openssl` command. */
export function tlsChecks(serve: Serve): Check[] {
  const check = (name: string, run: (files: Files) => Promise<void>): Check => ({
    name,
    async run() {
      const folder = mkdtempSync(join(tmpdir(), 'tls-'))
      try {
        await run(makeFiles(folder))
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    },
  })
  const app = new Hono().get('/', c => c.text('hello'))

  const refuses = (name: string, change: (files: Files) => Partial<Files>, message: RegExp): Check =>
    check(name, async files => {
      const { cert, key, clientCa } = { ...files, ...change(files) }
      await assert.rejects(serve({ app, listen, tls: { cert, key, clientCa }, telemetry }), error => {
        assert.ok(error instanceof Error)
        assert.equal(error.name, 'StartError')
        assert.match(error.message, message)
        assert.doesNotMatch(error.message, /PRIVATE/)
        return true
      })
    })

  return [
    check('serves TLS', async ({ cert, key }) => {
      const server = await serve({ app, listen, tls: { cert, key }, telemetry })
      try {
        assert.match(server.url, /^https:\/\/127\.0\.0\.1:\d+$/)
        assert.equal(await fetchText(server.port, { ca: readFileSync(cert) }), 'hello')
      } finally {
        await server.close(0)
      }
    }),
    check('demands a client certificate of its authority', async ({ cert, key, clientCa, other }) => {
      const server = await serve({ app, listen, tls: { cert, key, clientCa }, telemetry })
      const ca = readFileSync(cert)
      try {
        const own = { cert: readFileSync(cert), key: readFileSync(key) }
        assert.equal(await fetchText(server.port, { ca, ...own }), 'hello')
        await assert.rejects(fetchText(server.port, { ca }))
        const foreign = { cert: readFileSync(other.cert), key: readFileSync(other.key) }
        await assert.rejects(fetchText(server.port, { ca, ...foreign }))
        assert.equal(await fetchText(server.port, { ca, ...own }), 'hello')
      } finally {
        await server.close(0)
      }
    }),
    refuses(
      'names a file that is missing',
      () => ({ cert: '/nowhere/server.pem' }),
      /\/nowhere\/server\.pem: there is no such file/,
    ),
    refuses('names a certificate that is none', ({ bad }) => ({ cert: bad }), /bad\.pem: not a PEM certificate/),
    refuses('names a key that is none', ({ bad }) => ({ key: bad }), /bad\.pem: not a PEM private key/),
    refuses('names an authority that is none', ({ bad }) => ({ clientCa: bad }), /bad\.pem: not a PEM certificate/),
    refuses('names a key of another certificate', ({ other }) => ({ key: other.key }), /key\.pem.*does not belong/),
  ]
}

interface Files {
  readonly cert: string
  readonly key: string
  readonly clientCa: string
  /** A pair that nobody here has signed. */
  readonly other: { readonly cert: string; readonly key: string }
  readonly bad: string
}

/** Self-signed, so a pair's certificate is its own authority. */
function makeFiles(folder: string): Files {
  const pair = (name: string) => {
    mkdirSync(join(folder, name))
    const cert = join(folder, name, 'cert.pem')
    const key = join(folder, name, 'key.pem')
    const options = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost'
    const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', cert]
    execFileSync('openssl', ['req', ...options.split(' '), ...names], { stdio: 'pipe' })
    return { cert, key }
  }
  const bad = join(folder, 'bad.pem')
  writeFileSync(bad, 'not a certificate')
  const own = pair('own')
  return { ...own, clientCa: own.cert, other: pair('other'), bad }
}

function fetchText(port: number, tls: { ca: Buffer; cert?: Buffer; key?: Buffer }): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, agent: false as const, timeout: 2000, ...tls }
    const sent = request(options, response => {
      let text = ''
      response.on('data', chunk => {
        text += String(chunk)
      })
      response.on('end', () => resolve(text))
      response.on('error', reject)
    })
    sent.on('error', reject)
    sent.on('timeout', () => sent.destroy(new Error('timed out')))
    sent.end()
  })
}
