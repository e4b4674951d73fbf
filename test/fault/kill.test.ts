import { appendFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Gateway, type Runtime, sleep, startGateway, tempDir } from '../support/index.ts'
import { chat, readStream } from './support/caller.ts'
import { recordsOf, verifyLog } from './support/log.ts'
import { type ModelServer, modelServer } from './support/model.ts'

const CLIENTS = 20
const KILLS = 3
const LOAD_MS = 500

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

  const start = () =>
    startGateway({
      runtime,
      dir,
      config: {
        models: [{ id: 'm', upstreams: [{ url: `${server.url}/v1`, kind: 'openai' }] }],
        // Small files, so that some kills meet a rotation.
        audit: { file: 'audit/audit.jsonl', hmacSecret: '${env:PROMPT_HMAC_SECRET}', maxFileSize: '64KiB' },
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

  test('every answer that a client got is in the log, which goes on after each start', async () => {
    for (let kill = 0; kill < KILLS; kill++) {
      const gateway = await start()
      const token = await gateway.mint()
      const clients = Array.from({ length: CLIENTS }, (_, number) => client(gateway, token, number))
      await sleep(LOAD_MS)
      gateway.signal('SIGKILL')
      await gateway.exited
      await Promise.all(clients)
      // What a write that was cut short would have left.
      if (kill === 0) appendFileSync(join(dir, 'audit/audit.jsonl'), '{"app":"tests","errorCode":"upst')
    }
    const last = await start()
    expect((await chat(last, { token: await last.mint(), stream: false }).answer).status).toBe(200)
    expect(await last.stop()).toMatchObject({ code: 0 })

    const records = recordsOf({ dir })
    const logged = new Set(records.map(({ requestId }) => requestId))
    console.log(`${runtime}: ${answered.length} answers, ${cut} cut, ${records.length} records`)
    expect(answered.length).toBeGreaterThan(CLIENTS * KILLS)
    expect(answered.filter(id => !logged.has(id))).toEqual([])
    expect(records.map(({ seq }) => seq)).toEqual(records.map((_, index) => index + 1))
    expect(readdirSync(join(dir, 'audit')).filter(name => name.includes('.torn-')).length).toBeGreaterThan(0)
    expect(await verifyLog({ dir })).toMatchObject({ code: 0 })
  })
})
