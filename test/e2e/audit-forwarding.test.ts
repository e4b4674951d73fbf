import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { chat } from '../fault/support/caller.ts'
import { allRecordsOf } from '../fault/support/log.ts'
import { modelServer } from '../fault/support/model.ts'
import {
  freePort,
  type Gateway,
  type Runtime,
  sallyport,
  startGateway,
  startProcess,
  tempDir,
  waitFor,
} from '../support/index.ts'
import { type Rsyslog, startRsyslog } from '../support/rsyslog.ts'
import { type Siem, startSiem } from '../support/siem.ts'
import { pemOf, testCa } from '../support/test-ca.ts'
import { sampleChain } from '../unit/audit/sample.ts'

const DOWN = { status: 503, headers: { 'retry-after': '1' } }
const idsOf = (gateway: Pick<Gateway, 'dir'>) =>
  allRecordsOf(gateway).map(record => (record as unknown as { hash: string }).hash)
const idIn = ({ sd }: { sd: string }) => /\bid="([0-9a-f]{64})"/.exec(sd)?.[1]

test.each<Runtime>(['node', 'bun'])(
  '%s: every destination has every record, through an outage and kill -9',
  {
    timeout: 90_000,
  },
  async runtime => {
    const dir = tempDir()
    const ca = testCa(dir)
    const [server, client] = [ca.issue('localhost'), ca.issue('gateway', 'DNS:gateway')]
    const tls = { ca: ca.cert, cert: client.cert, key: client.key }
    const mutual = { ...pemOf(server), ca: readFileSync(ca.cert), requestCert: true, rejectUnauthorized: true }
    const model = await modelServer()
    await using splunk = await startSiem('splunk', 'hec-token', mutual)
    await using elastic = await startSiem('elasticsearch', 'api-key', pemOf(server))
    await using otel = await startSiem('otlp', 'otlp-token')
    await using plain = await startSiem('http', 'plain-token')
    const siems = { splunk, elastic, otel, plain }
    const [syslogPort, syslogDir] = [await freePort(), tempDir()]
    const openSyslog = () => startRsyslog({ ca: ca.cert, server, peer: 'gateway', port: syslogPort, dir: syslogDir })
    let rsyslog: Rsyslog = await openSyslog()
    const common = { batch: { wait: '50ms' }, maxPause: '1s' }
    const start = () =>
      startGateway({
        runtime,
        dir,
        env: { HEC_TOKEN: 'hec-token' },
        config: {
          models: [{ id: 'm', upstreams: [{ url: `${model.url}/v1`, kind: 'openai' }] }],
          audit: {
            file: 'audit/audit.jsonl',
            hmacSecret: 'a secret for this test alone, 32 bytes',
            maxFileSize: '64KiB',
            forward: [
              { kind: 'splunk-hec', url: splunk.url, token: '${env:HEC_TOKEN}', tls, ...common },
              {
                kind: 'elasticsearch',
                url: elastic.url,
                token: 'api-key',
                index: 'audit-ai',
                tls: { ca: ca.cert },
                ...common,
              },
              { kind: 'otlp', url: otel.url, token: 'otlp-token', ...common },
              { kind: 'http', name: 'plain', url: `${plain.url}/in`, token: 'plain-token', ...common },
              { kind: 'syslog', url: `tls://localhost:${syslogPort}`, tls, ...common },
            ],
          },
        },
      })
    const logged = () => [...new Set(rsyslog.messages().flatMap(message => idIn(message) ?? []))]
    const ask = async (gateway: Gateway, token: string, count: number) => {
      for (let index = 0; index < count; index += 1) await chat(gateway, { token, prompt: `hello ${index}` }).answer
    }
    const all = async (gateway: Gateway) => {
      const ids = idsOf(gateway)
      const lacking = (has: (id: string) => boolean) => ids.filter(id => !has(id)).length
      for (const [name, siem] of Object.entries(siems)) {
        await waitFor(`all in ${name}`, () => lacking(id => siem.records.has(id)) === 0, 20_000)
      }
      await waitFor(
        'all in syslog',
        () => {
          const known = new Set(logged())
          return lacking(id => known.has(id)) === 0
        },
        20_000,
      )
      return ids
    }

    let gateway = await start()
    const token = await gateway.mint()
    await ask(gateway, token, 30)
    await all(gateway)

    const before = gateway.output().length
    // All are away while it goes on, and it is killed in the middle of that.
    for (const siem of Object.values(siems)) siem.outage = DOWN
    await rsyslog.process.stop()
    await ask(gateway, token, 30)
    const failing = () =>
      gateway
        .output()
        .slice(before)
        .split('\n')
        .filter(line => line.includes('"audit_forward_failed"'))
    for (const name of ['splunk-hec', 'elasticsearch', 'otlp', 'plain', 'syslog'])
      await waitFor(`a failure of ${name}`, () => failing().some(line => line.includes(`"${name}"`)))
    expect((await (await fetch(`${gateway.url}/readyz`)).json()) as object).toMatchObject({
      ready: true,
      forwarding: { 'splunk-hec': true, syslog: true },
    })
    gateway.signal('SIGKILL')
    await gateway.exited

    gateway = await start()
    for (const siem of Object.values(siems)) siem.outage = undefined
    rsyslog = await openSyslog()
    await ask(gateway, token, 30)
    const ids = await all(gateway)
    expect(ids.length).toBeGreaterThanOrEqual(180)
    // Nothing but what is in the log: what came twice has the same id.
    for (const siem of Object.values(siems)) expect(siem.records.size).toBe(ids.length)
    expect(logged()).toHaveLength(ids.length)
    expect(Math.max(...elastic.records.values())).toBe(1)
    const { msg, pri, app } = rsyslog.messages().at(-1) ?? { msg: '{}' }
    expect([pri, app, ids.includes((JSON.parse(msg) as { hash: string }).hash)]).toEqual(['110', 'sallyport', true])

    const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text()
    expect(metrics).toMatch(/^sallyport_audit_forwarded_total\{destination="syslog"\} \d+$/m)
    await gateway.stop()
    expect(gateway.output()).not.toContain('audit_forward_dropped')
    await rsyslog.process.stop()
    const status = await sallyport(['audit', 'forward', '--status', '--json'], {
      cwd: dir,
      runtime,
      env: { HEC_TOKEN: 'x' },
    })
    expect(JSON.parse(status.stdout)).toMatchObject(
      ['splunk-hec', 'elasticsearch', 'otlp', 'plain', 'syslog'].map(name => ({ name, lag: { records: 0, bytes: 0 } })),
    )
  },
)

/** A log of many records, and the configuration of a process that sends it. */
function logOf(count: number, forward: readonly object[]) {
  const dir = tempDir()
  const lines = sampleChain(count)
  mkdirSync(join(dir, 'audit'))
  writeFileSync(join(dir, 'audit/audit.jsonl'), `${lines.join('\n')}\n`)
  writeFileSync(join(dir, 'sallyport.yaml'), stringify({ audit: { forward } }))
  return { dir, ids: lines.map(line => (JSON.parse(line) as { hash: string }).hash) }
}

const BUNDLE = join(import.meta.dirname, '../../dist/sallyport.mjs')
const forwarding = (dir: string) => startProcess(process.execPath, [BUNDLE, 'audit', 'forward'], { cwd: dir })

test('audit forward, killed over and over in the middle of batches, to a slow destination that takes little at once', {
  timeout: 60_000,
}, async () => {
  await using siem: Siem = await startSiem('http', 't')
  siem.delayMs = 10
  siem.maxBytes = 50_000
  const { dir, ids } = logOf(1500, [{ kind: 'http', url: siem.url, token: 't', batch: { records: 500, wait: '50ms' } }])
  for (let kill = 0; kill < 3; kill += 1) {
    const before = siem.records.size
    const sender = await forwarding(dir)
    await waitFor('some records', () => siem.records.size > before + 100, 15_000)
    await sender.stop('SIGKILL')
  }
  const sender = await forwarding(dir)
  await waitFor('all records', () => siem.records.size === ids.length, 30_000)
  expect(await sender.stop()).toMatchObject({ code: 0 })
  expect([...siem.records.keys()]).toEqual(ids)
})

test('audit forward to standard output: the lines of the log, and nothing else', async () => {
  const { dir, ids } = logOf(200, [{ kind: 'stdout', batch: { wait: '50ms' } }])
  const sender = await forwarding(dir)
  const lines = () => sender.stdout().trimEnd().split('\n')
  await waitFor('all lines', () => lines().length === ids.length)
  expect(await sender.stop()).toMatchObject({ code: 0 })
  expect(lines().map(line => (JSON.parse(line) as { hash: string }).hash)).toEqual(ids)
})

test('a destination with a certificate of another name, or an unknown authority, gets nothing', async () => {
  const parent = tempDir()
  const ca = testCa(parent)
  const other = testCa(parent, 'other')
  const server = ca.issue('wrong', 'DNS:elsewhere')
  await using siem = await startSiem('http', 't', pemOf(server))
  await using rsyslog = await startRsyslog({ ca: ca.cert, server })
  const tls = (authority: string) => ({ tls: { ca: authority }, maxPause: '1s', batch: { wait: '50ms' } })
  const { dir } = logOf(10, [
    { kind: 'http', name: 'name', url: siem.url, token: 't', ...tls(ca.cert) },
    {
      kind: 'http',
      name: 'authority',
      url: siem.url.replace('localhost', '127.0.0.1'),
      token: 't',
      ...tls(other.cert),
    },
    { kind: 'syslog', name: 'sys', url: `tls://localhost:${rsyslog.port}`, ...tls(ca.cert) },
  ])
  const sender = await forwarding(dir)
  await waitFor('each is told', () => (sender.stderr().match(/"audit_forward_failed"/g) ?? []).length === 3)
  expect(sender.stderr()).toMatch(
    /"destination":"name","reason":"https:\/\/localhost:\d+ is not trusted: its certificate is for another name/,
  )
  expect(sender.stderr()).toContain('"destination":"sys","reason":"tls://localhost:')
  await sender.stop()
  expect(siem.records.size).toBe(0)
  expect(rsyslog.messages()).toEqual([])
})

test('rsyslog that does not let this sender in is not taken for one that has the records', async () => {
  const ca = testCa(tempDir())
  const client = testCa(tempDir(), 'another').issue('gateway', 'DNS:gateway')
  await using rsyslog = await startRsyslog({ ca: ca.cert, server: ca.issue('localhost'), peer: 'gateway' })
  const { dir } = logOf(10, [
    {
      kind: 'syslog',
      url: `tls://localhost:${rsyslog.port}`,
      tls: { ca: ca.cert, cert: client.cert, key: client.key },
    },
  ])
  const sender = await forwarding(dir)
  await waitFor('it is told', () => sender.stderr().includes('audit_forward_failed'))
  await sender.stop()
  const { stdout } = await sallyport(['audit', 'forward', '--status', '--json'], { cwd: dir })
  expect(JSON.parse(stdout)).toMatchObject([{ name: 'syslog', lag: { records: 10 } }])
  expect(rsyslog.messages()).toEqual([])
})
