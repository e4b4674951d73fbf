// The examples of deploy/ for proxies in front, run by the real nginx and HAProxy.
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Agent, request } from 'undici'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  freePort,
  isListening,
  type RunningProcess,
  sallyportOutput,
  scriptedUpstream,
  startGateway,
  startProcess,
  tempDir,
  within,
} from '../support/index.ts'

const DEPLOY = resolve(import.meta.dirname, '../../deploy')

interface Places {
  readonly dir: string
  readonly port: number
  readonly gatewayPort: number
}

/** The example with the test's own ports and files in place of those that it names. */
function example(file: string, { dir, port, gatewayPort }: Places): string {
  return readFileSync(join(DEPLOY, file), 'utf8')
    .replaceAll('/etc/sallyport/certs', join(dir, 'certs'))
    .replace('127.0.0.1:8787', `127.0.0.1:${gatewayPort}`)
    .replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
    .replace('bind :443', `bind 127.0.0.1:${port}`)
}

function startNginx(places: Places): Promise<RunningProcess> {
  const { dir, port } = places
  const site = join(dir, 'site.conf')
  writeFileSync(site, example('nginx/sallyport.conf', places))
  const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${dir}/${name};`)
  const conf = join(dir, 'nginx.conf')
  writeFileSync(
    conf,
    `daemon off;\npid ${dir}/nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n${folders.join('\n')}\ninclude ${site};\n}\n`,
  )
  return startProcess('nginx', ['-p', dir, '-c', conf], { cwd: dir, ready: () => isListening(port) })
}

function startHaproxy(places: Places): Promise<RunningProcess> {
  const { dir, port } = places
  const pem = ['server.pem', 'server-key.pem'].map(name => readFileSync(join(dir, 'certs', name), 'utf8'))
  writeFileSync(join(dir, 'certs/server-and-key.pem'), pem.join(''))
  const file = join(dir, 'haproxy.cfg')
  writeFileSync(file, example('haproxy/haproxy.cfg', places))
  return startProcess('haproxy', ['-db', '-f', file], { cwd: dir, ready: () => isListening(port) })
}

/** Has the certificates of one authority: the proxy's own and two callers'. */
let authority: string
beforeAll(async () => {
  authority = tempDir()
  const certs = (...args: string[]) => sallyportOutput(['certs', ...args], { cwd: authority })
  await certs('init')
  await certs('issue', '--server', 'localhost')
  for (const name of ['billing', 'search']) await certs('issue', '--client', name)
  await certs('revoke')
})

const ASKED = { model: 'm', messages: [{ role: 'user', content: 'hello' }] }
const piece = (content: string) => ({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })

describe.each([
  { proxy: 'nginx', start: startNginx, format: 'nginx-escaped-pem' },
  { proxy: 'HAProxy', start: startHaproxy, format: 'rfc9440' },
])('$proxy in front', ({ start, format }) => {
  test('streams unbuffered, and says who calls and from where', { timeout: 60_000 }, async () => {
    const dir = tempDir()
    const read = (name: string) => readFileSync(join(dir, 'certs', name), 'utf8')
    cpSync(join(authority, 'certs'), join(dir, 'certs'), { recursive: true })
    const firstSeen = Promise.withResolvers<void>()
    await using upstream = await scriptedUpstream(async script => {
      // HAProxy asks /readyz, and that asks the model server.
      if (script.request.method === 'GET') return script.reply(200, { data: [{ id: 'm' }] })
      if (script.json()['stream'] !== true)
        return script.reply(200, { choices: [{ index: 0, message: { role: 'assistant', content: 'ok' } }] })
      await script.head()
      await script.event(piece('first '))
      // The rest is sent once the caller has the first: whoever gathers answers never gets it.
      await firstSeen.promise
      await script.event(piece('second'))
      await script.event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
      await script.chunk('data: [DONE]\n\n')
      await script.finish()
    })
    await using gateway = await startGateway({
      dir,
      config: {
        models: [{ id: 'm', upstreams: [{ url: `${upstream.url}/v1`, kind: 'vllm' }] }],
        proxies: { addresses: ['127.0.0.1'], clientCert: { format } },
        quotas: [{ name: 'one-an-hour', per: ['address'], requests: 1, window: '1h' }],
      },
    })
    const port = await freePort()
    await using _proxy = await start({ dir, port, gatewayPort: gateway.port })
    const bound = await gateway.mint({ cert: join(dir, 'certs/client-billing.pem') })
    const send = async (name: string, from: string, body: object, headers: Record<string, string> = {}) => {
      const identity = { cert: read(`client-${name}.pem`), key: read(`client-${name}-key.pem`) }
      const dispatcher = new Agent({ localAddress: from, connect: { ca: read('ca.pem'), ...identity } })
      return await request(`https://127.0.0.1:${port}/v1/chat/completions`, {
        method: 'POST',
        dispatcher,
        headers: { authorization: `Bearer ${bound}`, 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ ...ASKED, ...body }),
      })
    }
    const status = async (...args: Parameters<typeof send>) => {
      const { statusCode, body } = await send(...args)
      await body.dump()
      return statusCode
    }

    const stream = await send('billing', '127.0.0.2', { stream: true })
    expect(stream.statusCode).toBe(200)
    let seen = ''
    const reader = stream.body[Symbol.asyncIterator]()
    while (!seen.includes('first')) {
      const { value, done } = await within('the first event', 20_000, reader.next())
      if (done) throw new Error(`the stream ended: ${seen}`)
      seen += String(value)
    }
    firstSeen.resolve()
    for (let next = await reader.next(); !next.done; next = await reader.next()) seen += String(next.value)
    expect(seen).toMatch(/second[\s\S]*\[DONE\]/)

    const forged = { 'client-cert': encodeURIComponent(read('client-billing.pem')) }
    expect(await status('search', '127.0.0.3', {})).toBe(401)
    expect(await status('search', '127.0.0.3', {}, forged)).toBe(401)
    // Each address has one request: that of the stream is used up, whatever its caller says of itself.
    expect(await status('billing', '127.0.0.2', {})).toBe(429)
    expect(
      await status('billing', '127.0.0.2', {}, { 'x-forwarded-for': '127.0.0.9', forwarded: 'for=127.0.0.9' }),
    ).toBe(429)
    expect(await status('billing', '127.0.0.3', {})).toBe(200)
  })
})
