import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeRevocationList } from '../../adapters/cli/certs/make-revocation-list.ts'
import { type Files, type Identity, makeFiles } from '../contract/certificates.ts'
import { signerOf } from '../support/certificates.ts'
import { type Gateway, type Runtime, startGateway, waitFor, within } from '../support/index.ts'
import { type Call, chat, readStream } from './support/caller.ts'
import { recordOf } from './support/log.ts'
import { answerWell, type ModelServer, modelServer } from './support/model.ts'

/** What is promised, from the writing of the file on. */
const CUT_MS = 2000
const WORDS = Array<string>(40).fill('word ')

interface Caller extends Call {
  readonly id: string
  readonly isOut: boolean
}

describe.each<Runtime>(['node', 'bun'])('certificates while 100 answers are on their way, on %s', runtime => {
  let server: ModelServer
  let files: Files
  let gateway: Gateway
  let token: string

  beforeAll(async () => {
    files = makeFiles()
    files.path('ca.pem', files.ca + files.foreignCa.pem)
    server = await modelServer()
    server.on('long', script => answerWell(script, WORDS, 80))
    const { cert, key, clientCa } = files
    gateway = await startGateway({
      runtime,
      config: {
        models: [{ id: 'm', upstreams: [{ url: `${server.url}/v1`, kind: 'openai' }] }],
        tls: { cert, key, clientCa, crl: files.path('crl.pem', ownList() + foreignList()) },
      },
    })
    token = await gateway.mint()
  })
  afterAll(async () => {
    await Promise.all([gateway?.stop(), server?.stop()])
    files?.remove()
  })

  const ownList = (serial?: string) => makeRevocationList(files.signer, undefined, serial, 5, Date.now())
  const foreignList = () => makeRevocationList(signerOf(files.foreignCa), undefined, undefined, 5, Date.now())
  const call = (who: Identity, prompt = 'long', id?: string) =>
    chat(gateway, {
      token,
      prompt,
      ...(id !== undefined && { id }),
      tls: { ca: files.ca, cert: who.cert, key: who.key },
    })

  /** Starts a hundred, half of them as `out`, does what shall end those, and looks at how all of them end. */
  async function cutOff(label: string, out: Identity, kept: Identity, change: () => unknown): Promise<void> {
    const calls: Caller[] = Array.from({ length: 100 }, (_, at) => {
      const isOut = at % 2 === 0
      const id = `${runtime}-${label}-${at}`
      return { id, isOut, ...call(isOut ? out : kept, 'long', id) }
    })
    await waitFor('all to have begun', () => calls.every(({ text }) => text().includes('word')), 10_000)
    const [lost, whole] = [calls.filter(({ isOut }) => isOut), calls.filter(({ isOut }) => !isOut)]
    change()
    const started = performance.now()
    const ends = await within('the end of the others', CUT_MS, Promise.all(lost.map(({ answer }) => answer)))
    console.log(`${runtime}, ${label}: 50 streams cut ${(performance.now() - started).toFixed(0)} ms after the change`)
    for (const { text, complete } of ends) {
      expect(text).not.toContain('[DONE]')
      expect(complete).toBe(false)
    }
    for (const { id } of lost) expect(await recordOf(gateway, id)).toMatchObject({ outcome: 'aborted' })
    for (const { text, complete } of await within('the rest', 20_000, Promise.all(whole.map(({ answer }) => answer)))) {
      expect(readStream(text)).toMatchObject({ done: true, finish: 'stop', content: WORDS.join(''), errors: 0 })
      expect(complete).toBe(true)
    }
    expect(await call(out, 'short').answer).toMatchObject({ status: 0 })
    expect(await call(kept, 'short').answer).toMatchObject({ status: 200 })
  }

  test('those whose certificate is revoked end within 2 s, the others whole', { timeout: 60_000 }, () =>
    cutOff('revoked', files.other, files.client, () =>
      files.path('crl.pem', ownList(files.other.made.certificate.serialNumber) + foreignList()),
    ),
  )

  test('so do those whose authority is taken out', { timeout: 60_000 }, () =>
    cutOff('authority', files.foreign, files.client, () => {
      files.path('crl.pem', ownList())
      files.path('ca.pem', files.ca)
    }),
  )
})
