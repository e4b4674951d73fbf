// The rules of deploy/nftables on machines that are network namespaces, with the kernel's own packet filter. Every way is tried
// without the rules first: what is shut with them has to have been open.
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { type RunningProcess, runProcess, sallyportOutput, startProcess, tempDir, waitFor } from '../support/index.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const BUNDLE = join(ROOT, 'dist/sallyport.mjs')
const RULES = join(ROOT, 'deploy/nftables')

/** How long a way has to stay silent to count as shut. What is open is given longer than it ever takes. */
const SHUT_AFTER_S = 1
const OPEN_WITHIN_S = 10

type Machine = 'caller' | 'gateway' | 'model' | 'stranger'
type Way = readonly [from: Machine, to: string, port: number]

const MODEL = '10.20.0.11'
/** What the rules leave open. */
const NEEDED: readonly Way[] = [
  ['caller', '10.0.0.1', 8443],
  ['gateway', MODEL, 8080],
]
/** What the rules of either machine shut without the other's. */
const SHUT_BY_EITHER: readonly Way[] = [
  ['caller', MODEL, 8080],
  ['caller', 'fd20::11', 8080],
  ['gateway', MODEL, 9000],
  ['gateway', 'fd20::11', 8080],
  ['model', '10.20.0.1', 8443],
  ['model', '10.20.0.1', 9787],
  ['model', 'fd20::1', 8443],
  ['model', '10.0.0.1', 8443],
  ['model', '10.0.0.2', 8000],
  ['model', 'fd00::2', 8000],
]
/** What does not pass the gateway's machine. */
const SHUT_BY_MODEL: readonly Way[] = [
  ['stranger', MODEL, 8080],
  ['stranger', 'fd20::11', 8080],
  ['model', '10.20.0.66', 8000],
]
/** What does not pass the model's. */
const SHUT_BY_GATEWAY: readonly Way[] = [
  ['stranger', '10.20.0.1', 8443],
  ['stranger', '10.0.0.2', 8000],
  ['caller', '10.0.0.1', 9787],
]
const SHUT = [...SHUT_BY_EITHER, ...SHUT_BY_MODEL, ...SHUT_BY_GATEWAY]

let inside: (machine: Machine, ...command: string[]) => readonly [string, string[]]
let outside: RunningProcess
const runOn = (machine: Machine, ...command: string[]) => runProcess(...inside(machine, ...command))

async function isOpen([from, to, port]: Way, seconds: number): Promise<boolean> {
  const connect = `exec 3<>/dev/tcp/${to}/${port}`
  return (await runOn(from, 'timeout', String(seconds), 'bash', '-c', connect)).code === 0
}

/** Of these ways, those that are open. */
async function open(ways: readonly Way[], seconds: number): Promise<string[]> {
  const found = await Promise.all(ways.map(async way => ((await isOpen(way, seconds)) ? [way.join(' ')] : [])))
  return found.flat()
}

const names = (ways: readonly Way[]) => ways.map(way => way.join(' '))

/** A program of Node on this machine, until the tests are over. */
const serve = (machine: Machine, program: string) =>
  startProcess(...inside(machine, process.execPath, '-e', program), { ready: /listening/ })

const LISTEN = (...ports: number[]) => `
  for (const port of ${JSON.stringify(ports)}) require('net').createServer(socket => socket.destroy()).listen(port, '::')
  require('dgram').createSocket('udp6').on('message', message => console.log('heard ' + message)).bind(53, () => console.log('listening'))`

const ANSWER = JSON.stringify({
  choices: [{ index: 0, message: { role: 'assistant', content: 'asked and answered' } }],
})

let token: string

beforeAll(async () => {
  const machines = await startProcess('unshare', ['-rnm', 'sh', join(import.meta.dirname, 'segment.sh')], {
    ready: /ready/,
  })
  const enter = ['-t', String(machines.pid), '-U', '-n', '-m', '--preserve-credentials', 'ip', 'netns', 'exec']
  inside = (machine, ...command) => ['nsenter', [...enter, machine, ...command]]

  const dir = tempDir()
  await sallyportOutput(['keys', 'init'], { cwd: dir })
  const claims = '--team a --app a --env a --scope inference --key keys/signing.jwk.json'.split(' ')
  token = await sallyportOutput(['token', 'mint', ...claims], { cwd: dir })
  writeFileSync(
    join(dir, 'sallyport.yaml'),
    `listen: { host: "::", port: 8443, insecure: true }
tokens: { jwks: keys/public.jwks.json }
models: [{ id: m, upstreams: [{ url: http://${MODEL}:8080/v1, kind: vllm }] }]
audit: { hmacSecret: 0123456789abcdef0123456789abcdef }
`,
  )
  const gateway = inside('gateway', process.execPath, BUNDLE, 'serve', '--config', join(dir, 'sallyport.yaml'))
  outside = await serve('caller', LISTEN(8000))
  await serve('stranger', LISTEN(8000))
  await serve('gateway', LISTEN(9787))
  await serve('model', LISTEN(9000))
  await serve(
    'model',
    `require('http').createServer((_, res) => res.setHeader('content-type', 'application/json').end('${ANSWER}'))
      .listen(8080, '::', () => console.log('listening'))`,
  )
  await startProcess(...gateway, { ready: /"listening"/ })
})

/** Sends a datagram the way a name server is asked, and says whether it got there within the time. */
async function tells(words: string): Promise<boolean> {
  await runOn('model', 'bash', '-c', `echo ${words} >/dev/udp/10.0.0.2/53`)
  return waitFor('datagram', () => outside.stdout().includes(`heard ${words}`), SHUT_AFTER_S * 1000).catch(() => false)
}

async function load(machine: Machine, file: string): Promise<void> {
  // Twice: the second time replaces the first.
  for (const _ of [1, 2])
    expect(await runOn(machine, 'nft', '-f', join(RULES, file))).toMatchObject({ code: 0, stderr: '' })
}

describe('the inference segment', { timeout: 60_000 }, () => {
  test('without rules every way is open: what follows can fail', async () => {
    expect(await open([...NEEDED, ...SHUT], OPEN_WITHIN_S)).toEqual(names([...NEEDED, ...SHUT]))
    expect(await tells('before')).toBe(true)
  })

  test('with its own rules the model host is reached by the gateway alone and reaches nothing', async () => {
    await load('model', 'model-server.nft')
    expect(await open([...SHUT_BY_EITHER, ...SHUT_BY_MODEL], SHUT_AFTER_S)).toEqual([])
    expect(await tells('after')).toBe(false)
    expect(await open(NEEDED, OPEN_WITHIN_S)).toEqual(names(NEEDED))
  })

  test('the gateway’s rules alone shut what would pass its machine', async () => {
    await runOn('model', 'nft', 'flush', 'ruleset')
    await load('gateway', 'gateway.nft')
    expect(await open([...SHUT_BY_EITHER, ...SHUT_BY_GATEWAY], SHUT_AFTER_S)).toEqual([])
    expect(await tells('later')).toBe(false)
    expect(await open(NEEDED, OPEN_WITHIN_S)).toEqual(names(NEEDED))
  })

  test('with both, a caller has its answer through the gateway, and an administrator the admin listener', async () => {
    await load('model', 'model-server.nft')
    expect(await open(SHUT, SHUT_AFTER_S)).toEqual([])
    const ask = `fetch('http://10.0.0.1:8443/v1/chat/completions', {
      method: 'POST', headers: { authorization: 'Bearer ${token}', 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hello' }] }),
    }).then(answer => answer.text()).then(console.log)`
    expect((await runOn('caller', process.execPath, '-e', ask)).stdout).toContain('asked and answered')
    expect(await isOpen(['caller', '10.0.9.1', 9787], OPEN_WITHIN_S)).toBe(true)
  })
})
