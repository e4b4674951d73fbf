import { describe, expect, test } from 'vitest'
import { DONE, delta, event, hear, message, piece } from './events.ts'
import { chunks, INTERNAL, type Rig, replies } from './rig.ts'

const SSN = '123-45-6789'
const RAW = /123-45-6789|bob@example\.com|4111111111111111|marzipan/

/** Everything but the texts themselves that could tell what they must not. */
export function sideDoors(rig: Rig): void {
  const completions = { path: '/v1/completions' }
  const prompt = { messages: undefined, prompt: 'x' }

  describe('fields that repeat the prompt or the answer', () => {
    const ECHOES: readonly (readonly [string, unknown, unknown])[] = [
      ['prompt_logprobs', [null, { 17: { logprob: -1, decoded_token: SSN } }], null],
      ['prompt_token_ids', [17, 4], null],
      ['token_ids', [17, 4], null],
      ['tokens', [17, 4], null],
      ['__verbose', { prompt: `mail bob@example.com`, content: SSN, tokens: [1] }, null],
      ['prompt_text', `of ${SSN}`, 'of [US_SSN_REDACTED]'],
      ['stop_reason', SSN, '[US_SSN_REDACTED]'],
      ['stopping_word', SSN, '[US_SSN_REDACTED]'],
      ['stop_reason', 128_009, 128_009],
      ['timings', { prompt_ms: 0.426, note: SSN }, { prompt_ms: 0.426, note: '[US_SSN_REDACTED]' }],
      ['account', 4_111_111_111_111_111, '[CREDIT_CARD_REDACTED]'],
      ['matched', { [SSN]: 1, 'bob@example.com': 2 }, { '[US_SSN_REDACTED]': 1, '[EMAIL_REDACTED]': 2 }],
    ]

    test.each(ECHOES)('%s of a chat: %j', async (name, value, expected) => {
      const choice = { index: 0, delta: { content: 'x. ' }, finish_reason: null, [name]: value }
      const streamed = await rig.stream([event({ choices: [choice], [name]: value }), delta({}, 'stop'), DONE])
      const [first] = hear(streamed.text).events
      expect([first?.[name], first?.['choices'][0][name]]).toEqual([expected, expected])
      expect(hear(streamed.text).done).toBe(true)
      const whole = await rig.chat(replies({ ...message({ content: 'x' }, { [name]: value }), [name]: value }))
      expect([whole.json()[name], whole.json()['choices'][0][name]]).toEqual([expected, expected])
      for (const { text } of [streamed, whole]) expect(text).not.toMatch(RAW)
    })

    test.each(ECHOES)('%s of a completion: %j', async (name, value, expected) => {
      const choice = { index: 0, text: 'x. ', finish_reason: null, [name]: value }
      const body = [event({ choices: [choice], [name]: value }), piece('', 'stop'), DONE]
      const reply = await rig.stream(body, prompt, completions)
      expect(hear(reply.text).events[0]?.['choices'][0][name]).toEqual(expected)
      expect(reply.text).not.toMatch(RAW)
    })

    test('an echoed prompt is text like the answer', async () => {
      const body = [piece(`Is it ${SSN}? `), piece('Yes', 'stop'), DONE]
      const reply = await rig.stream(body, prompt, completions)
      expect(hear(reply.text).text('text')).toBe('Is it [US_SSN_REDACTED]? Yes')
    })

    test('an error in the middle tells nothing, wherever its message stands', async () => {
      const bodies = [
        event({ error: { message: `${INTERNAL} ${SSN}`, code: 500 } }),
        event({ choices: [], error: `${INTERNAL} ${SSN}` }),
        `event: error\ndata: ${JSON.stringify({ error: { message: SSN } })}\n\n`,
      ]
      for (const body of bodies) {
        for (const end of [[], [DONE]]) {
          const reply = await rig.stream([delta({ content: 'a ' }), body, ...end])
          expect(reply.text).not.toMatch(RAW)
          expect([hear(reply.text).done, hear(reply.text).errors.length]).toEqual([false, 1])
        }
      }
    })
  })

  describe('fields that nobody has described', () => {
    test('of a delta grow like the texts that are known', async () => {
      const thought = (thoughts: string) => delta({ thoughts })
      const reply = await rig.stream([
        thought('Mail bob@'),
        delta({ content: 'Yes. ' }),
        thought('example.com! '),
        thought('123-45'),
        delta({}, 'stop'),
        DONE,
      ])
      expect(hear(reply.text).text('thoughts')).toBe('Mail [EMAIL_REDACTED]! 123-45')
      expect(reply.text).not.toMatch(/bob@|example\.com/)
    })

    test('elsewhere wait where they could go on to a match over several events', async () => {
      const note = (text: string) => event({ choices: [{ index: 0, delta: {} }], vendor: { notes: [text] } })
      const reply = await rig.stream([note('Mail bob@exam'), note('ple.com! '), delta({}, 'stop'), DONE])
      const notes = hear(reply.text).events.flatMap(({ vendor }) => vendor?.notes ?? [])
      expect(notes).toEqual(['Mail [EMAIL_REDACTED]! ', ''])
    })

    test('stay as they are where they are labels', async () => {
      const labelled = (content: string) =>
        event({ id: 'x', provider: 'somewhere.example', choices: [{ index: 0, delta: { content }, native: 'stop' }] })
      const body = [labelled('One. '), labelled('Two. '), delta({}, 'stop'), DONE]
      expect((await rig.stream(body)).text).toBe(body.join(''))
    })
  })

  describe('lines beside the data', () => {
    test.each([
      [`data: [DONE] ${SSN}`, false],
      [`data: [DONE]\ndata: ${SSN}`, false],
      [`: ${SSN}\ndata: [DONE]`, true],
      [`event: ${SSN}\ndata: [DONE]`, true],
    ])('nothing comes along with the end: %j', async (end, done) => {
      const reply = await rig.stream([delta({ content: 'x. ' }, 'stop'), `${end}\n\n`])
      expect(reply.text).not.toMatch(RAW)
      expect(hear(reply.text).done).toBe(done)
    })

    test('that keep the connection alive or name an event pass', async () => {
      const body = [':\n\n', ': ping\n\n', `event: message\nid: 7\nretry: 10\n${delta({ content: 'x. ' })}`]
      const reply = await rig.stream([...body, delta({}, 'stop'), DONE])
      expect(reply.text.startsWith(body.join(''))).toBe(true)
    })

    test.each(['\n', '\r\n', '\r'])('that hold text do not (lines end with %j)', async end => {
      const lines = [`: mail bob@example.com`, `id: ${SSN}`, `event: ${SSN}`, `note: ${INTERNAL}`]
      const body = lines.map(line => `${line}\n\n${line}\n${delta({ content: 'x. ' })}`.replaceAll('\n', end))
      const reply = await rig.stream([...body, delta({}, 'stop'), DONE])
      expect(reply.text).not.toMatch(RAW)
      expect([hear(reply.text).text(), hear(reply.text).done]).toEqual(['x. '.repeat(4), true])
    })
  })

  describe('tokens and their probabilities', () => {
    const entry = (token: string) => ({ token, bytes: [...Buffer.from(token)], logprob: -1, top_logprobs: [] })
    const probable = (...tokens: string[]) =>
      event({
        choices: [
          {
            index: 0,
            delta: { content: tokens.join('') },
            logprobs: { content: tokens.map(entry) },
            finish_reason: null,
          },
        ],
      })
    const tokensOf = (text: string) =>
      hear(text).events.flatMap(({ choices }) =>
        (choices as { logprobs?: { content?: { token: string }[] } }[]).flatMap(
          ({ logprobs }) => logprobs?.content?.map(({ token }) => token) ?? [],
        ),
      )

    test('go out with their text, in the event that holds it, also where that is the last or the gateway’s own', async () => {
      const asked = { logprobs: true }
      const held = [probable('It ', 'is '), probable('bob'), probable('@'), probable('home')]
      const finished = await rig.stream([...held, delta({}, 'stop'), DONE], asked)
      expect(tokensOf(finished.text)).toEqual(['It ', 'is ', 'bob', '@', 'home'])
      const last = hear(finished.text).events.findLast(({ choices }) => choices[0]?.finish_reason === 'stop')
      expect(last?.['choices'][0].logprobs.content).toHaveLength(3)
      const bare = event({ choices: [{ index: 0, finish_reason: 'stop' }] })
      expect(tokensOf((await rig.stream([...held, bare, DONE], asked)).text)).toHaveLength(5)
      const ended = await rig.stream([...held, DONE], asked)
      expect([tokensOf(ended.text).length, hear(ended.text).text()]).toEqual([5, 'It is bob@home'])
    })

    test('are not told of what is cut or blocked', async () => {
      const words = ['One ', 'two ', 'three ', 'four ', 'five ', 'six ']
      const brief = await rig.stream(
        [...words.map(word => probable(word)), delta({}, 'stop'), DONE],
        { logprobs: true },
        { claims: { team: 'brief' } },
      )
      expect(hear(brief.text).text()).toHaveLength(20)
      expect(hear(brief.text).text().startsWith(tokensOf(brief.text).join(''))).toBe(true)
      const strict = await rig.stream(
        [probable('So ', SSN, ' and '), delta({}, 'stop'), DONE],
        { logprobs: true },
        { claims: { team: 'strict' } },
      )
      expect([hear(strict.text).text(), tokensOf(strict.text)]).toEqual(['So ', ['So ']])
    })

    test('pass as they came where no rule changes text', async () => {
      const body = [probable(SSN), delta({}, 'stop'), DONE]
      const reply = await rig.stream(body, { logprobs: true }, { claims: { team: 'open' } })
      // Secrets are redacted for this team, and these are none.
      expect(tokensOf(reply.text)).toEqual([SSN])
    })
  })

  test('a stream of one HTTP chunk, or of one byte a chunk, is the same', async () => {
    const body = Buffer.from([delta({ content: `I ${SSN}. ` }), delta({}, 'stop'), DONE].join(''))
    const one = await rig.chat(chunks([body]), { stream: true })
    const many = await rig.chat(chunks([...body].map(byte => Uint8Array.of(byte))), { stream: true })
    expect(many.text).toBe(one.text)
  })
}
