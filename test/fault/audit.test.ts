import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Gateway, type Runtime, startGateway, waitFor, within } from '../support/index.ts'
import { chat, codeOf, readStream } from './support/caller.ts'
import { allRecordsOf, recordOf, recordsOf, verifyLog } from './support/log.ts'
import { answerWell, type ModelServer, modelServer } from './support/model.ts'

/** A file of this process may grow to `bytes` and no further: to the process, a disk that is full. */
const limitFiles = (pid: number, bytes: number | 'unlimited') =>
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`])

describe.each<Runtime>(['node', 'bun'])('an audit log in trouble, of the gateway on %s', runtime => {
  describe.each(['deny', 'serve'] as const)('onFailure: %s', onFailure => {
    let server: ModelServer
    let gateway: Gateway
    let token: string
    let last = 0

    beforeAll(async () => {
      server = await modelServer()
      gateway = await startGateway({
        runtime,
        config: {
          models: [{ id: 'm', upstreams: [{ url: `${server.url}/v1`, kind: 'openai' }] }],
          audit: { file: 'audit/audit.jsonl', hmacSecret: '${env:PROMPT_HMAC_SECRET}', onFailure },
        },
      })
      token = await gateway.mint()
      expect((await ask()).status).toBe(200)
    })
    afterAll(async () => {
      await gateway?.stop()
      await server?.stop()
    })

    const ask = (stream = false, id = `${onFailure}-${++last}`) =>
      within('an answer', 5000, chat(gateway, { token, id, stream }).answer)
    const file = () => join(gateway.dir, 'audit/audit.jsonl')

    /** With the log out of order. */
    async function expectTrouble() {
      const stream = await ask(true)
      const whole = await ask()
      if (onFailure === 'serve') {
        expect(readStream(stream.text)).toMatchObject({ done: true, finish: 'stop' })
        expect(whole.status).toBe(200)
        await waitFor('the loss is told', () => gateway.output().includes('audit_record_lost'))
        return
      }
      // The first one was at work when the failure showed; what comes after it is turned away at the door.
      expect(stream.status === 503 ? codeOf(stream) : readStream(stream.text).error).toBe('audit_unavailable')
      expect(stream.text).not.toContain('[DONE]')
      expect({ status: whole.status, code: codeOf(whole) }).toEqual({ status: 503, code: 'audit_unavailable' })
      const asked = server.requests.length
      expect((await ask()).status).toBe(503)
      expect(server.requests.length).toBe(asked)
    }

    async function expectRecovery() {
      await waitFor('the log works', async () => {
        const id = `${onFailure}-${++last}`
        const { status } = await ask(false, id)
        return status === 200 && recordsOf(gateway).some(({ requestId }) => requestId === id)
      })
    }

    test('a full disk', async () => {
      limitFiles(gateway.pid, statSync(file()).size + 100)
      await expectTrouble()
      limitFiles(gateway.pid, 'unlimited')
      await expectRecovery()
      expect(await verifyLog(gateway)).toMatchObject({ code: 0 })
    })

    test('a disk that fills up while an answer streams', async () => {
      const id = `${onFailure}-slow`
      server.on(id, script => answerWell(script, ['One ', 'two ', 'three.'], 100))
      const call = chat(gateway, { token, id, prompt: id })
      await waitFor('the first word', () => call.text().includes('One'))
      limitFiles(gateway.pid, statSync(file()).size + 100)
      const { text } = await within('the end', 5000, call.answer)
      limitFiles(gateway.pid, 'unlimited')
      if (onFailure === 'serve') expect(readStream(text)).toMatchObject({ content: 'One two three.', done: true })
      else
        expect(readStream(text)).toMatchObject({ content: 'One two three.', done: false, error: 'audit_unavailable' })
      await expectRecovery()
      expect(await verifyLog(gateway)).toMatchObject({ code: 0 })
    })

    test('a folder that is taken away and put back', async () => {
      const folder = join(gateway.dir, 'audit')
      const away = join(gateway.dir, 'away')
      renameSync(folder, away)
      await expectTrouble()
      renameSync(away, folder)
      await expectRecovery()
      expect(await verifyLog(gateway)).toMatchObject({ code: 0 })
    })

    test('a folder that is lost: a new one is gone on with', async () => {
      const lastSeq = Math.max(...allRecordsOf(gateway).map(({ seq }) => seq))
      renameSync(join(gateway.dir, 'audit'), join(gateway.dir, 'lost'))
      await expectTrouble()
      mkdirSync(join(gateway.dir, 'audit'), { mode: 0o700 })
      await expectRecovery()
      // The chain goes on where it was, so that the old file and the new one fit.
      expect(allRecordsOf(gateway)[0]?.seq).toBe(lastSeq + 1)
      expect(gateway.output()).not.toMatch(/internal_error|unhandled|uncaught/i)
    })

    test('what was refused meanwhile is not in the log, what was served since is', async () => {
      const { status } = await ask(false, `${onFailure}-final`)
      expect(status).toBe(200)
      expect(await recordOf(gateway, `${onFailure}-final`)).toMatchObject({ outcome: 'served' })
    })
  })
})
