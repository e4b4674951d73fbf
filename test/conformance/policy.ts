import { describe, expect, test } from 'vitest'
import { cut, DONE, delta, hear, message, says } from './events.ts'
import { chat, type Rig, replies } from './rig.ts'

const SSN = '123-45-6789'
const NINO = 'AB123456C'
const SPELLED = 'jane at example dot com'

/** What the guard does is decided rule by rule and locale by locale, for some callers apart. */
export function policy(rig: Rig): void {
  const as = (team: string) => ({ claims: { team } })
  const heard = async (team: string, ...texts: string[]) =>
    hear((await rig.stream(says(...texts), {}, as(team))).text).text()

  describe('a rule by name', () => {
    const text = `Ask ${SPELLED}, SSN ${SSN}.`

    test('is switched on and off for the teams of an exception alone, in streams', async () => {
      for (const team of ['named', 'named-too']) {
        expect(await heard(team, 'Ask jane a', 't example d', `ot com, SSN ${SSN}.`)).toBe(
          `Ask [EMAIL_SPELLED_REDACTED], SSN ${SSN}.`,
        )
      }
      expect(await heard('blue', text)).toBe(`Ask ${SPELLED}, SSN [US_SSN_REDACTED].`)
    })

    test('and in whole answers', async () => {
      const said = replies(message({ content: text }))
      const named = await rig.chat(said, {}, as('named'))
      expect(named.json()['choices'][0].message.content).toBe(`Ask [EMAIL_SPELLED_REDACTED], SSN ${SSN}.`)
      // The record is redacted of what this caller may see.
      expect((await rig.record(named))['outputSnippet']).toBe('Ask [EMAIL_SPELLED_REDACTED], SSN [US_SSN_REDACTED].')
      const blue = await rig.chat(said, {}, as('blue'))
      expect(blue.json()['choices'][0].message.content).toBe(`Ask ${SPELLED}, SSN [US_SSN_REDACTED].`)
    })

    test('and in requests, where the record names the rule', async () => {
      const answer = replies(message({ content: 'Yes.' }))
      const ask = async (team: string) => {
        const reply = await rig.chat(answer, chat(`write to ${SPELLED}`), as(team))
        return { reply, sent: rig.lastBody()['messages'][0].content as string }
      }
      const named = await ask('named')
      expect(named.sent).toBe('write to [EMAIL_SPELLED_REDACTED]')
      expect((await rig.record(named.reply))['guard']).toEqual([
        { stage: 'input', rule: 'EMAIL_SPELLED', action: 'redact', count: 1 },
      ])
      expect((await ask('blue')).sent).toBe(`write to ${SPELLED}`)
    })
  })

  test('the packs of locales that an exception names are the ones that count', async () => {
    const text = `NINO ${NINO}, SSN ${SSN}, mail a@b.io.`
    expect(await heard('british', text)).toBe(`NINO [UK_NINO_REDACTED], SSN ${SSN}, mail [EMAIL_REDACTED].`)
    expect(await heard('blue', text)).toBe('NINO [UK_NINO_REDACTED], SSN [US_SSN_REDACTED], mail [EMAIL_REDACTED].')
  })

  describe('a dictionary', () => {
    const text = 'We met at OSPREY NEST with Müller & Söhne; ospreys nested.'
    // What replaces it is written as JSON asks for, wherever it stands.
    const redacted = 'We met at <a "code\\name"> with <a "code\\name">; ospreys nested.'

    test('is redacted in a stream, across cuts of its text and of its bytes', async () => {
      for (let at = 1; at < text.length; at += 3) {
        expect(await heard('blue', text.slice(0, at), text.slice(at))).toBe(redacted)
      }
      const events = [
        delta({ content: text.slice(0, 14) }),
        delta({ content: text.slice(14) }),
        delta({}, 'stop'),
        DONE,
      ]
      for (const size of [1, 5, 33]) {
        expect(hear((await rig.stream(cut(events.join(''), size), {}, as('blue'))).text).text()).toBe(redacted)
      }
    })

    test('is redacted in the arguments of calls, which stay JSON', async () => {
      const args = JSON.stringify({ where: 'OSPREY NEST', n: 3 })
      const call = (part: string) => delta({ tool_calls: [{ index: 0, function: { arguments: part } }] })
      const start = delta({
        tool_calls: [{ index: 0, id: 'c', type: 'function', function: { name: 'f', arguments: '' } }],
      })
      const reply = await rig.stream(
        [start, call(args.slice(0, 14)), call(args.slice(14)), delta({}, 'tool_calls'), DONE],
        {},
        as('blue'),
      )
      expect(JSON.parse(hear(reply.text).call(0, 0))).toEqual({ where: '<a "code\\name">', n: 3 })
    })

    test('is off for those that an exception lets see it', async () => {
      expect(await heard('named', text)).toBe(text)
    })

    test('stops a request where it blocks, without naming the term', async () => {
      const seen = await rig.seen(async () => {
        const reply = await rig.chat(replies(message({ content: 'x' })), chat('about osprey nest'), as('british'))
        expect([reply.status, reply.json()['error'].code]).toEqual([400, 'guard_rule'])
        expect(reply.text).not.toMatch(/osprey/i)
      })
      expect(seen).toBe(0)
    })
  })
}
