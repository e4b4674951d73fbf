import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Runtime, startGateway } from '../support/index.ts'

const config = { models: [{ id: 'm', upstreams: [{ url: 'http://127.0.0.1:1/v1', kind: 'openai' }] }] }

test.each<Runtime>(['node', 'bun'])('the gateway on %s serves without any private key', async runtime => {
  const first = await startGateway({ runtime, config })
  const token = await first.mint()
  await first.stop()
  const keys = join(first.dir, 'keys')
  for (const name of readdirSync(keys)) if (name !== 'public.jwks.json') rmSync(join(keys, name), { recursive: true })
  expect(readdirSync(keys)).toEqual(['public.jwks.json'])

  await using gateway = await startGateway({ runtime, config, dir: first.dir })
  const models = await fetch(`${gateway.url}/v1/models`, { headers: { authorization: `Bearer ${token}` } })
  expect([models.status, await models.json()]).toMatchObject([200, { object: 'list' }])
  expect(await (await fetch(`${gateway.url}/readyz`)).json()).toMatchObject({ keys: true })
})
