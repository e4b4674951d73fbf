import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { makeRevocationList } from '../../../adapters/cli/certs/make-revocation-list.ts'
import { TlsListener } from '../../../adapters/node/tls/tls-listener.ts'
import type { Fields } from '../../../src/ports/telemetry.ts'
import { makeFiles } from '../../contract/certificates.ts'
import { onCleanup } from '../../support/cleanup.ts'

afterEach(() => vi.useRealTimers())

test('files that cannot be used are tried again every minute, although nobody touches them', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date', 'performance'] })
  const files = makeFiles()
  onCleanup(files.remove)
  const events: string[] = []
  const log = (_: string, event: string, { reason = '' }: Fields = {}) => void events.push(`${event} ${reason}`.trim())
  const { cert, key, clientCa, crl } = files
  const listener = await TlsListener.open({ cert, key, clientCa, crl }, { log, count: () => {} })
  const contexts: { crl?: unknown }[] = []
  listener.attach({ on: () => undefined, setSecureContext: (context: object) => contexts.push(context) } as never)
  events.length = 0

  // Written by a machine whose clock is ahead: the same file is good a little later.
  const begins = Date.now() + 100_000
  files.path('crl.pem', makeRevocationList(files.signer, undefined, undefined, 5, begins + 300_000))
  const file = join(files.dir, 'crl.pem')
  const failure = `certificates_not_reloaded ${file}: is not valid before`
  /** Lets the looks of so many seconds run to their ends. */
  const pass = async (seconds: number) => {
    for (let i = 0; i < seconds; i++) {
      await vi.advanceTimersByTimeAsync(1000)
      await new Promise(resolve => setTimeout(resolve, 5))
    }
  }
  await vi.waitFor(async () => {
    await pass(1)
    expect(events).toHaveLength(1)
  })
  expect(events[0]).toContain(failure)
  await pass(50)
  expect(events).toHaveLength(1)
  await vi.waitFor(async () => {
    await pass(1)
    expect(events).toHaveLength(2)
  })
  expect(events[1]).toContain(failure)
  expect(contexts).toEqual([])
  await vi.waitFor(async () => {
    await pass(10)
    expect(events).toHaveLength(3)
  })
  expect(events[2]).toBe('certificates_reloaded')
  expect(contexts[0]?.crl).toEqual([readFileSync(file, 'utf8').trim()])
  listener.close()
})
