import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { ClientTlsFiles } from '../../../adapters/node/tls/client-tls-files.ts'
import type { ClientTlsConfig } from '../../../src/config/client-tls-config.ts'
import type { Fields, Level } from '../../../src/ports/telemetry.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { type Pair, pemOf, testCa } from '../../support/test-ca.ts'
import { waitFor } from '../../support/wait.ts'

const ORIGIN = 'https://gpu-1:8443'
const PATH = 'models[0].upstreams[0].tls'

const lines: [Level, string, Fields][] = []
const telemetry = {
  log: (level: Level, event: string, fields: Fields = {}) => void lines.push([level, event, fields]),
  count: () => {},
}
const opened: ClientTlsFiles[] = []
afterEach(() => {
  for (const files of opened.splice(0)) files.close()
  lines.length = 0
})

async function open(tls: ClientTlsConfig): Promise<ClientTlsFiles> {
  const files = await ClientTlsFiles.open([{ path: PATH, origin: ORIGIN, tls }], telemetry)
  opened.push(files)
  return files
}

test('what the files hold counts for their server alone', async () => {
  const ca = testCa(tempDir())
  const client = ca.issue('gateway')
  const files = await open({ ca: ca.cert, ...client, serverName: 'model.internal' })
  expect(files.of(ORIGIN)).toEqual({ ca: pemOf(ca).cert, ...pemOf(client), serverName: 'model.internal' })
  expect(files.of(ORIGIN)).toBe(files.of(ORIGIN))
  expect(files.of('https://gpu-1:8444')).toBeUndefined()
})

test('each fault names the key of the configuration and the file, and never what is in it', async () => {
  const ca = testCa(tempDir())
  const [one, other] = [ca.issue('one'), ca.issue('other')]
  const bad = join(tempDir(), 'bad.pem')
  writeFileSync(bad, '-----BEGIN PRIVATE KEY-----\nmarzipan\n-----END PRIVATE KEY-----\n')
  for (const [tls, message] of [
    [{ ca: '/nowhere/ca.pem' }, `${PATH}: /nowhere/ca.pem: there is no such file`],
    [{ ca: bad }, `${PATH}: ${bad}: not a PEM certificate`],
    [{ cert: bad, key: one.key }, `${PATH}: ${bad}: not a PEM certificate`],
    [{ cert: one.cert, key: bad }, `${PATH}: ${bad}: not a PEM private key without passphrase`],
    [
      { cert: one.cert, key: other.key },
      `${PATH}: ${other.key}: this key does not belong to the certificate in ${one.cert}`,
    ],
  ] as const) {
    await expect(open(tls)).rejects.toThrow(message)
  }
})

test('files that change count from then on; files that are no good leave what was there', async () => {
  const folder = tempDir()
  const ca = testCa(folder)
  const [first, second] = [ca.issue('first'), ca.issue('second')]
  const paths = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
  const put = (from: typeof first) => {
    copyFileSync(from.cert, paths.cert)
    copyFileSync(from.key, paths.key)
  }
  put(first)
  const files = await open(paths)
  const before = files.of(ORIGIN)
  expect(before?.cert).toBe(pemOf(first).cert)

  writeFileSync(paths.cert, 'half a certificate')
  await waitFor('the complaint', () => lines.some(([, event]) => event === 'upstream_certificates_kept'))
  expect(lines.find(([, event]) => event === 'upstream_certificates_kept')).toEqual([
    'error',
    'upstream_certificates_kept',
    { upstream: ORIGIN, reason: `${paths.cert}: not a PEM certificate` },
  ])
  expect(files.of(ORIGIN)).toBe(before)

  put(second)
  await waitFor('the new certificate', () => files.of(ORIGIN)?.cert === pemOf(second).cert)
  expect(files.of(ORIGIN)).toEqual(pemOf(second))
  expect(lines.at(-1)).toEqual([
    'error',
    'upstream_certificate_expires',
    { upstream: ORIGIN, what: 'client_certificate', file: paths.cert, days: 1 },
  ])
})

test('what ends soon is warned of, what has ended is an error; both are measured', async () => {
  const ca = testCa(tempDir())
  const [long, soon, late] = [90, 20, -1].map(days => ca.issue('gateway', undefined, days)) as [Pair, Pair, Pair]
  const files = await open(long)
  expect(lines).toEqual([])
  const [ending] = files.endings.get(ORIGIN) ?? []
  expect(ending).toMatchObject({ what: 'client_certificate', file: long.cert })
  expect(((ending?.endsAtMs ?? 0) - Date.now()) / 86_400_000).toBeCloseTo(90, 1)
  await open(soon)
  await open(late)
  const fields = { upstream: ORIGIN, what: 'client_certificate', days: expect.any(Number) }
  expect(lines).toEqual([
    ['warn', 'upstream_certificate_expires', { ...fields, file: soon.cert }],
    ['error', 'upstream_certificate_expires', { ...fields, file: late.cert }],
  ])
})
