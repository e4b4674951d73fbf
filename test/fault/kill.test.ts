import { appendFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nodeHashing } from '../../adapters/node/hashing.ts'
import { verifyAuditFiles } from '../../adapters/node/verify-audit-files.ts'
import { type Gateway, type Runtime, sleep, startGateway, tempDir } from '../support/index.ts'
import { chat, readStream } from './support/caller.ts'
import { allRecordsOf, logFiles, verifyLog } from './support/log.ts'
import { type ModelServer, modelServer } from './support/model.ts'

const CLIENTS = 20
/** On each of the two runtimes. */
const KILLS = 25
/** A kill comes after at most so long under load, at random. */
const MAX_LOAD_MS = 400

describe.each<Runtime>(['node', 'bun'])('kill -9 under load, on %s', runtime => {
  let server: ModelServer
  const dir = tempDir()
  /** The ids of all answers that some client got whole. */
  const answered: string[] = []
  let cut = 0

  beforeAll(async () => {
    server = await modelServer()
  })
  afterAll(() => server?.stop())

  /** Beginnings are waited for in every second life. */
  const start = (intent: 'durable' | 'written') =>
    startGateway({
      runtime,
      dir,
      config: {
        models: [{ id: 'm', upstreams: [{ url: `${server.url}/v1`, kind: 'openai' }] }],
        // Small files, so that some kills meet a rotation.
        audit: { file: 'audit/audit.jsonl', hmacSecret: '${env:PROMPT_HMAC_SECRET}', maxFileSize: '64KiB', intent },
      },
    })

  /** Asks until the gateway is gone. */
  async function client(gateway: Gateway, token: string, number: number): Promise<void> {
    for (let turn = 0; ; turn++) {
      const stream = (turn + number) % 2 === 0
      const { status, headers, complete, text } = await chat(gateway, { token, stream }).answer
      if (status === 0) return
      const whole = complete && (!stream || readStream(text).done)
      if (whole) answered.push(String(headers['x-request-id']))
      else cut++
    }
  }

  test('every answer that a client got is in the log, and every request a model got shows, after each kill', async () => {
    let token: string | undefined
    /** Requests that the model server got while their beginnings were waited for. */
    let watched = 0
    for (let kill = 0; kill < KILLS; kill++) {
      const intent = kill % 2 === 0 ? 'durable' : 'written'
      const gateway = await start(intent)
      token ??= await gateway.mint()
      const [before, asked] = [answered.length, server.requests.length]
      const clients = Array.from({ length: CLIENTS }, (_, number) => client(gateway, token ?? '', number))
      await sleep(100 + Math.random() * MAX_LOAD_MS)
      gateway.signal('SIGKILL')
      await gateway.exited
      await Promise.all(clients)

      const records = allRecordsOf({ dir })
      const ended = new Set(records.filter(({ outcome }) => outcome !== 'begun').map(({ requestId }) => requestId))
      expect(answered.slice(before).filter(id => !ended.has(id))).toEqual([])
      expect(records.map(({ seq }) => seq)).toEqual(records.map((_, index) => index + 1))
      const report = await verifyAuditFiles(nodeHashing, logFiles(dir))
      expect([undefined, 'torn last line']).toContain(report.bad?.reason)
      if (intent === 'durable') {
        const begun = new Set(records.filter(({ outcome }) => outcome === 'begun').map(({ requestId }) => requestId))
        const sent = server.requests.slice(asked).filter(({ method }) => method === 'POST')
        const ids = sent.map(({ headers }) => String(headers['x-request-id']).slice(0, -'-12345678'.length))
        watched += ids.length
        expect(ids.filter(id => !begun.has(id))).toEqual([])
      }
      // What a write that was cut short would have left.
      if (kill === 0) appendFileSync(join(dir, 'audit/audit.jsonl'), '{"app":"tests","errorCode":"upst')
    }
    const last = await start('written')
    expect((await chat(last, { token: await last.mint(), stream: false }).answer).status).toBe(200)
    expect(await last.stop()).toMatchObject({ code: 0 })

    const { bad, verified } = await verifyAuditFiles(nodeHashing, logFiles(dir))
    const { interrupted, open, records } = verified
    console.log(`${runtime}: ${answered.length} answers, ${cut} cut, ${records} records, ${interrupted} interrupted`)
    expect(bad).toBeUndefined()
    expect(answered.length).toBeGreaterThan(CLIENTS * KILLS)
    expect(watched).toBeGreaterThan(CLIENTS * KILLS * 0.4)
    // Each kill cut some requests short; the last life none.
    expect(interrupted).toBeGreaterThan(KILLS / 2)
    expect(open).toBe(0)
    expect(readdirSync(join(dir, 'audit')).filter(name => name.includes('.torn-')).length).toBeGreaterThan(0)
    const told = await verifyLog({ dir })
    expect(told).toMatchObject({ code: 0 })
    expect(told.stdout).toContain(`interrupted ${interrupted} requests\n`)
  }, 120_000)
})
