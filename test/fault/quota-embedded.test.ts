import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Gateway, type Runtime, sleep, startGateway, tempDir } from '../support/index.ts'
import { chat } from './support/caller.ts'
import { type ModelServer, modelServer } from './support/model.ts'

/** Windows are written at most this late. */
const WRITTEN_MS = 1_300

describe.each<Runtime>(['node', 'bun'])('quotas in the embedded store, on %s', runtime => {
  let server: ModelServer
  beforeAll(async () => {
    server = await modelServer()
  })
  afterAll(() => server?.stop())

  const start = (dir: string) =>
    startGateway({
      runtime,
      dir,
      config: {
        models: [{ id: 'm', upstreams: [{ url: `${server.url}/v1`, kind: 'openai' }] }],
        quotas: [{ name: 'day', per: ['team'], requests: 3, window: '1d' }],
      },
    })
  async function ask(gateway: Gateway, token: string, times = 1): Promise<number[]> {
    const statuses = []
    for (let at = 0; at < times; at++) statuses.push((await chat(gateway, { token, stream: false }).answer).status)
    return statuses
  }

  test('a day that is used up is used up after a restart', async () => {
    const dir = tempDir()
    const first = await start(dir)
    const token = await first.mint()
    expect(await ask(first, token, 4)).toEqual([200, 200, 200, 429])
    expect(await first.stop()).toMatchObject({ code: 0 })
    await using again = await start(dir)
    expect(await ask(again, token)).toEqual([429])
    expect(await ask(again, await again.mint({ team: 'green' }))).toEqual([200])
  })

  test('kill -9 forgets the charges of the last second at most', async () => {
    const dir = tempDir()
    const first = await start(dir)
    const token = await first.mint()
    expect(await ask(first, token, 2)).toEqual([200, 200])
    await sleep(WRITTEN_MS)
    first.signal('SIGKILL')
    await first.exited
    await using again = await start(dir)
    expect(await ask(again, token, 2)).toEqual([200, 429])
  })

  test('a second gateway on the same file does not start', async () => {
    const dir = tempDir()
    await using first = await start(dir)
    const other = startGateway({
      runtime,
      config: {
        state: `embedded:${first.dir}/state/sallyport.db`,
        quotas: [{ name: 'day', per: ['team'], requests: 3, window: '1d' }],
        models: [{ id: 'm', upstreams: [{ url: `${server.url}/v1`, kind: 'openai' }] }],
      },
    })
    await expect(other).rejects.toThrow(/sallyport\.db is in use by another gateway/)
  })
})
