import { describe, expect, test } from 'vitest'
import { type Runtime, sallyport, startGateway, waitFor, within } from '../support/index.ts'
import { chat, readStream } from './support/caller.ts'
import { answerWell, modelServer } from './support/model.ts'

/** Every instance follows the file of public keys within a second; the wait allows for a busy machine. */
const FOLLOWED_MS = 5000

describe.each<Runtime>(['node', 'bun'])(
  'a signing key is rotated while 100 answers are on their way, on %s',
  runtime => {
    test('none of them breaks, old and new tokens count, and a key that is thrown away ends its tokens', {
      timeout: 60_000,
    }, async () => {
      await using server = await modelServer()
      const words = Array<string>(40).fill('word ')
      server.on('long', script => answerWell(script, words, 80))
      server.on('short', script => answerWell(script, ['word '], 0))
      await using gateway = await startGateway({
        runtime,
        config: { models: [{ id: 'm', upstreams: [{ url: `${server.url}/v1`, kind: 'openai' }] }] },
      })
      const keys = async (...args: string[]) =>
        expect(await sallyport(['keys', 'rotate', ...args], { cwd: gateway.dir })).toMatchObject({ code: 0 })
      const statusOf = async (token: string) => (await chat(gateway, { token, prompt: 'short' }).answer).status
      const old = await gateway.mint()
      const calls = Array.from({ length: 100 }, () => chat(gateway, { token: old, prompt: 'long' }))
      await waitFor('all to have begun', () => calls.every(({ text }) => text().includes('word')), 5000)

      await keys()
      const fresh = await gateway.mint()
      await waitFor('the new key to count', async () => (await statusOf(fresh)) === 200, FOLLOWED_MS)
      expect(await statusOf(old)).toBe(200)
      const answers = await within('the end of all', 20_000, Promise.all(calls.map(({ answer }) => answer)))
      for (const { text, complete } of answers) {
        expect(readStream(text)).toMatchObject({ done: true, finish: 'stop', content: words.join(''), errors: 0 })
        expect(complete).toBe(true)
      }

      await keys('--discard-old')
      await waitFor('the replaced key to be gone', async () => (await statusOf(fresh)) === 401, FOLLOWED_MS)
      expect(await statusOf(old)).toBe(200)
      expect(await statusOf(await gateway.mint())).toBe(200)
    })
  },
)
