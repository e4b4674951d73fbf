import { describe, expect, test } from 'vitest'
import { captured, cut, DONE, delta, event, hear, says } from './events.ts'
import { chunks, INTERNAL, type Rig } from './rig.ts'

export function breaks(rig: Rig): void {
  describe('a stream that breaks', () => {
    test('a real error in the middle', async () => {
      const reply = await rig.stream(cut(captured('midstream-error-chat'), 50))
      const heard = hear(reply.text)
      expect(heard.text()).toMatch(/^X+$/)
      expect(heard.errors).toEqual([expect.objectContaining({ code: 'upstream_failed', type: 'upstream_error' })])
      expect(heard.done).toBe(false)
      expect(reply.text).not.toContain('Context size')
      expect(await rig.record(reply)).toMatchObject({ outcome: 'failed', errorCode: 'upstream_failed' })
    })

    const begun = [delta({ role: 'assistant', content: '' }), delta({ content: 'Write to bob@exa' })]
    const vllmError = event({ error: { message: INTERNAL, type: 'x', code: 500 } })
    test.each<[string, readonly string[] | 'reset' | 'close', string]>([
      ['an error event', [...begun, event({ error: { code: 500, message: INTERNAL } })], 'upstream_failed'],
      ['an error event, then [DONE]', [...begun, vllmError, DONE], 'upstream_failed'],
      ['an error event with a name', [...begun, `event: error\n${vllmError}`], 'upstream_failed'],
      ['an end without a finish reason', begun, 'upstream_failed'],
      ['an end behind the role', begun.slice(0, 1), 'upstream_failed'],
      ['an end inside an event', [...begun, delta({ content: 'x' }, 'stop').slice(0, 40)], 'upstream_failed'],
      ['a reset', 'reset', 'upstream_failed'],
      ['a connection closed', 'close', 'upstream_failed'],
      ['no JSON', [...begun, 'data: oops\n\n'], 'upstream_invalid'],
      ['half JSON', [...begun, 'data: {"choices":[{"delta":{"content":"x"}\n\n'], 'upstream_invalid'],
      [
        'words that are no values',
        [...begun, 'data: {"id":nul,"choices":[{"index":0,"delta":{}}]}\n\n'],
        'upstream_invalid',
      ],
      [
        'numbers that are none',
        ['data: {"created":1.2.3,"choices":[{"index":0,"delta":{"content":"x"}}]}\n\n'],
        'upstream_invalid',
      ],
      ['usage that is none', [...begun, 'data: {"choices":[],"usage":{"prompt_tokens":01}}\n\n'], 'upstream_invalid'],
      [
        'a bad escape in a name',
        ['data: {"id":"\\x","choices":[{"index":0,"delta":{"content":"x"}}]}\n\n'],
        'upstream_invalid',
      ],
      [
        'the same text twice',
        ['data: {"choices":[{"index":0,"delta":{"content":"a","content":"b"}}]}\n\n'],
        'upstream_invalid',
      ],
      [
        'text behind the end of its choice',
        [...begun, delta({}, 'stop'), delta({ content: 'more' })],
        'upstream_invalid',
      ],
      [
        'a choice of a strange number',
        [event({ choices: [{ index: -1, delta: { content: 'x' } }] })],
        'upstream_invalid',
      ],
    ])('%s', async (_, how, code) => {
      const reply = await rig.stream(async script => {
        await script.head()
        for (const chunk of typeof how === 'string' ? begun : how) await script.chunk(chunk)
        if (typeof how === 'string') await script.sleep(50)
        if (how === 'reset') script.reset()
        else if (how === 'close') script.end()
        else await script.finish()
      })
      const heard = hear(reply.text)
      expect(reply.status).toBe(200)
      expect(heard.done).toBe(false)
      expect(heard.errors).toHaveLength(1)
      expect(heard.errors[0]).toMatchObject({ code, type: 'upstream_error', message: expect.any(String), param: null })
      expect(heard.events.at(-1)).toHaveProperty('error')
      expect(heard.finish.filter(reason => reason !== 'stop')).toEqual([])
      // What was held is decided before the error: an address cut in half is no address.
      if (reply.text.includes('Write') && !heard.finish.includes('stop')) expect(heard.text()).toBe('Write to bob@exa')
      expect(reply.text).not.toContain('marzipan')
      expect(await rig.record(reply)).toMatchObject({ status: 200, outcome: 'failed', errorCode: code, stream: true })
    })

    test('the gateway serves on', async () => {
      expect((await rig.stream(says('fine'))).text).toContain('fine')
    })

    test.each([
      ['JSON in place of a stream', 'upstream_invalid', { 'content-type': 'application/json' }],
      ['nothing at all', 'upstream_failed', { 'content-type': 'text/event-stream' }],
    ])('before it begins: %s', async (_, code, headers) => {
      const reply = await rig.stream(async script => {
        await script.head(200, headers)
        await script.finish()
      })
      expect([reply.status, reply.json()['error'].code]).toEqual([502, code])
    })
  })

  test('an event too long to be held is refused', async () => {
    const long = delta({ content: 'x'.repeat(2 * 1024 * 1024) })
    const reply = await rig.stream(chunks([delta({ content: 'a' }), long, DONE]))
    expect(hear(reply.text).errors).toMatchObject([{ code: 'upstream_invalid' }])
    expect(reply.text.length).toBeLessThan(5000)
  })
}
