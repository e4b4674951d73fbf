import { expect, test } from 'vitest'
import { sallyport, waitFor } from '../support/index.ts'
import { DONE, delta, message, says } from './events.ts'
import { chat, PROMPT, type Rig, replies, UPSTREAM_KEY } from './rig.ts'

/** Runs last: looks at all that the other tests have left behind. */
export function secrecy(rig: Rig): void {
  test('the beginning of an answer in the record is redacted, whatever the caller may see', async () => {
    const said = `It is 123-45-6789, mail ${'x '.repeat(80)}bob@example.com and more`
    const options = { claims: { team: 'open' } }
    const whole = await rig.chat(replies(message({ content: said })), {}, options)
    const stream = await rig.stream(says(...said.split(/(?<= )/)), {}, options)
    for (const reply of [whole, stream]) {
      expect(reply.text).toContain('bob@example.com')
      const { outputSnippet } = await rig.record(reply)
      expect(outputSnippet).toMatch(/^It is \[US_SSN_REDACTED\], mail x x /)
      expect(outputSnippet.length).toBeLessThanOrEqual(200)
      expect(outputSnippet).not.toContain('bob')
    }
  })

  test('a caller that leaves has a record, and the model server is freed', async () => {
    rig.answers(async script => {
      await script.head()
      await script.chunk(delta({ content: 'Hello to ' }) + delta({ content: 'bob@exa' }))
      await script.stall()
    })
    const response = await rig.fetch({ ...chat(), stream: true })
    const reader = response.body?.getReader()
    await reader?.read()
    const left = performance.now()
    await reader?.cancel()
    expect((await rig.last().gone) - left).toBeLessThan(1000)
    const record = await rig.record(response)
    expect(record).toMatchObject({ outcome: 'aborted', status: 499, stream: true, tokenSource: 'estimate' })
    expect(record['outputTokens']).toBeGreaterThan(0)
  })

  test('every record has what it should, and a served one its keyed hash', async () => {
    const streamed = await rig.record(await rig.stream([...says('x')]))
    expect(streamed).toMatchObject({
      team: 'blue',
      app: 'tests',
      env: 'test',
      subject: 'blue/tests/test',
      method: 'POST',
      route: '/v1/chat/completions',
      model: 'm',
      upstream: `${rig.upstream.url}/v1`,
      status: 200,
      outcome: 'served',
      stream: true,
      outputSnippet: 'x',
      guard: [],
    })
    expect(streamed['tokenId']).toMatch(/^[\w-]{36}$/)
    expect(streamed['promptHmac']).toMatch(/^[0-9a-f]{64}$/)
    expect(streamed['latencyMs']).toBeGreaterThanOrEqual(streamed['firstByteMs'])
    const again = await rig.record(await rig.chat(replies(message({ content: 'x' }))))
    expect(again['promptHmac']).toBe(streamed['promptHmac'])
    const other = await rig.record(await rig.chat(replies(message({ content: 'x' })), chat('else')))
    expect(other['promptHmac']).not.toBe(streamed['promptHmac'])
    const list = await rig.record(await rig.send(undefined, { method: 'GET', path: '/v1/models' }))
    expect(list).toMatchObject({ method: 'GET', route: '/v1/models', outcome: 'served', status: 200 })
  })

  test('no log holds a prompt, an answer, a credential or a word of the model server', async () => {
    await rig.stream([delta({ content: PROMPT }), delta({}, 'stop'), DONE])
    const signatures = rig.tokens.map(token => token.split('.').at(-1) ?? token)
    const raw = ['marzipan-internal', UPSTREAM_KEY, '123-45-6789', 'ghp_0123', 'sk-something', 'secret-', ...signatures]
    for (const gateway of [rig.gateway, rig.other]) {
      const texts = { output: gateway.output(), audit: rig.auditText(gateway) }
      for (const [name, text] of Object.entries(texts)) {
        for (const word of raw) expect(text.includes(word), `${word} in the ${name}`).toBe(false)
      }
      expect(texts.output).not.toContain(PROMPT)
      expect(texts.output).not.toMatch(/internal_error|unhandled|uncaught|TypeError|\bat \S+ \(/i)
    }
    // The answer of this very test is in its own record and nowhere else.
    expect(rig.auditText().split(PROMPT)).toHaveLength(2)
  })

  test('the chain of records is whole', async () => {
    await waitFor('records', () => rig.auditText().length > 0)
    const verified = await sallyport(['audit', 'verify', 'audit/audit.jsonl'], { cwd: rig.gateway.dir })
    expect(verified).toMatchObject({ code: 0 })
  })
}
