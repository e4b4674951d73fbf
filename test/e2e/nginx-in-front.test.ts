import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Agent, request } from 'undici'
import { expect, test } from 'vitest'
import {
  freePort,
  isListening,
  sallyportOutput,
  scriptedUpstream,
  startGateway,
  startProcess,
  tempDir,
} from '../support/index.ts'

/** The server block that the guide shows. */
const GUIDE = /```nginx\n([\s\S]*?)```/.exec(
  readFileSync(resolve(import.meta.dirname, '../../docs/certificates.md'), 'utf8'),
)?.[1] as string

test('nginx as the guide sets it up: the caller’s certificate counts, a forged one does not', {
  timeout: 60_000,
}, async () => {
  const dir = tempDir()
  const certs = (...args: string[]) => sallyportOutput(['certs', ...args], { cwd: dir })
  const read = (name: string) => readFileSync(join(dir, 'certs', name), 'utf8')
  await certs('init')
  await certs('issue', '--server', 'localhost')
  for (const name of ['billing', 'search']) await certs('issue', '--client', name)
  await certs('revoke')
  await using upstream = await scriptedUpstream(script =>
    script.reply(200, { choices: [{ index: 0, message: { role: 'assistant', content: 'ok' } }] }),
  )
  await using gateway = await startGateway({
    dir,
    config: {
      models: [{ id: 'm', upstreams: [{ url: `${upstream.url}/v1`, kind: 'vllm' }] }],
      proxies: { addresses: ['127.0.0.1'], clientCert: { format: 'nginx-escaped-pem' } },
    },
  })
  const port = await freePort()
  const site = GUIDE.replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
    .replaceAll(/(\S+\.pem);/g, (_, file: string) => `${join(dir, 'certs', file)};`)
    .replace('http://127.0.0.1:8787', gateway.url)
  const conf = join(dir, 'nginx.conf')
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${dir}/${name};`)
  const http = `http {\naccess_log off;\n${places.join('\n')}\n${site}}\n`
  writeFileSync(conf, `daemon off;\npid ${dir}/nginx.pid;\nerror_log stderr;\nevents {}\n${http}`)
  await using _nginx = await startProcess('nginx', ['-p', dir, '-c', conf], {
    cwd: dir,
    ready: () => isListening(port),
  })
  const send = async (name: string, token: string, headers: Record<string, string> = {}) => {
    const identity = { cert: read(`client-${name}.pem`), key: read(`client-${name}-key.pem`) }
    const dispatcher = new Agent({ connect: { ca: read('ca.pem'), ...identity } })
    const { statusCode, body } = await request(`https://127.0.0.1:${port}/v1/chat/completions`, {
      method: 'POST',
      dispatcher,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hello' }] }),
    })
    await body.dump()
    await dispatcher.destroy()
    return statusCode
  }
  const bound = await gateway.mint({ cert: join(dir, 'certs/client-billing.pem') })
  expect(await send('billing', bound)).toBe(200)
  expect(await send('search', bound)).toBe(401)
  expect(await send('search', bound, { 'client-cert': encodeURIComponent(read('client-billing.pem')) })).toBe(401)
  const lines = readFileSync(join(dir, 'audit/audit.jsonl'), 'utf8').trimEnd().split('\n')
  const first = lines.map(line => JSON.parse(line)).find(({ outcome }) => outcome !== 'begun')
  expect(first).toMatchObject({ outcome: 'served', clientCert: { subject: 'CN=billing' } })
})
