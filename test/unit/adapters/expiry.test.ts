import { expect, test } from 'vitest'
import { redisCertificates } from '../../../adapters/cli/redis-certificates.ts'
import type { Ending } from '../../../adapters/node/tls/expiry.ts'
import { timesLeft } from '../../../adapters/node/tls/expiry-gauge.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { testCa } from '../../support/test-ca.ts'

const NOW_MS = 1_790_000_000_000
const ending = (what: Ending['what'], seconds: number): Ending => ({
  what,
  file: '/etc/secret/place.pem',
  endsAtMs: NOW_MS + seconds * 1000,
})

test('the gauge tells of each use and kind what ends first, also when it has ended', () => {
  const left = timesLeft(
    [
      ['data', [ending('server_certificate', 900), ending('client_authority', 80), ending('client_authority', 70)]],
      ['data', [ending('revocation_list', -5)]],
      ['upstream:https://gpu-1:8443', [ending('client_certificate', 60), ending('server_authority', 50)]],
      ['redis', []],
    ],
    NOW_MS,
  )
  expect(left.map(({ labels: { use, kind }, seconds }) => [use, kind, seconds])).toEqual([
    ['data', 'certificate', 900],
    ['data', 'ca', 70],
    ['data', 'crl', -5],
    ['upstream:https://gpu-1:8443', 'certificate', 60],
    ['upstream:https://gpu-1:8443', 'ca', 50],
  ])
})

test('certificates in the URL of Redis are known too', async () => {
  const ca = testCa(tempDir())
  const { cert, key } = ca.issue('gateway', undefined, 9)
  const found = await redisCertificates(`rediss://redis:6379/0?ca=${ca.cert}&cert=${cert}&key=${key}`)
  expect(
    found.map(({ what, file, endsAtMs }) => [what, file, Math.round((endsAtMs - Date.now()) / 86_400_000)]),
  ).toEqual([
    ['server_authority', ca.cert, 2],
    ['client_certificate', cert, 9],
  ])
  expect(await redisCertificates('redis://redis:6379')).toEqual([])
})
