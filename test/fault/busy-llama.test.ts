import { expect, test } from 'vitest'
import { type Runtime, startGateway, startLlama, within } from '../support/index.ts'
import { chat } from './support/caller.ts'

/** More than llama-server has threads for connections, each of which a kept connection would pin for 5 s. */
const CALLERS = 15

test.each<Runtime>(['node', 'bun'])(
  'nobody waits for an idle connection to llama-server to close (%s)',
  async runtime => {
    await using llama = await startLlama({ model: 'tiny', say: 'That is all.' })
    await using gateway = await startGateway({
      runtime,
      config: { models: [{ id: 'm', upstreams: [{ url: `${llama.url}/v1`, kind: 'llama.cpp' }] }] },
    })
    const token = await gateway.mint()
    for (const stream of [false, true]) {
      const calls = Array.from({ length: CALLERS }, () => chat(gateway, { token, stream }).answer)
      const answers = await within('all answers', 3000, Promise.all(calls))
      expect(answers.map(({ status, complete }) => status === 200 && complete)).not.toContain(false)
    }
  },
)
