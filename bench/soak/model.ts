// The model server of the soak: what it does for a request stands in the first word of its prompt.

import { answerWell, completion, delta, endStream } from '../../test/fault/support/model.ts'
import { type Script, type ScriptedUpstream, scriptedUpstream } from '../../test/support/index.ts'

/** Must reach no caller; it comes cut over two events. */
export const ADDRESS = 'jane.doe@example.com'

/** What an ordinary stream is made of, each an event. */
const WORDS = ['Write ', 'to ', 'jane.do', 'e@example.com ', 'and ', 'ask ', 'for ', 'the ', 'report. ', '\n']
const EVENTS = 100
const PACE_MS = 50
/** Some 700 KB: more than the sockets on its way take, so that a slow reader holds it up. */
const FLOOD_EVENTS = 2800
const FLOOD_WORD = 'words and more of them, nothing that would have to be taken out, '

const acts: Readonly<Record<string, (script: Script) => unknown>> = {
  async paced(script) {
    await script.head()
    for (let event = 0; event < EVENTS; event++) {
      await script.event(delta(WORDS[event % WORDS.length] ?? ''))
      await script.sleep(PACE_MS)
    }
    return endStream(script)
  },
  async flood(script) {
    await script.head()
    for (let event = 0; event < FLOOD_EVENTS; event++) await script.event(delta(FLOOD_WORD))
    for (const word of WORDS) await script.event(delta(word))
    return endStream(script)
  },
  async whole(script) {
    await script.sleep(20 * PACE_MS)
    return script.reply(200, completion(WORDS.join('')))
  },
  fails: script => script.reply(500, { error: { message: 'staged', type: 'server_error' } }),
  busy: script => script.reply(503, { error: { message: 'staged', type: 'server_error' } }),
  resets: script => script.reset(),
  silent: script => script.stall(),
  garbled: script =>
    script.raw('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"choices'),
  async breaks(script) {
    await script.head()
    for (let event = 0; event < WORDS.length; event++) await script.event(delta('and '))
    script.reset()
  },
}

export function soakModel(): Promise<ScriptedUpstream> {
  return scriptedUpstream(script => {
    if (script.request.method === 'GET') return script.reply(200, { object: 'list', data: [] })
    const { messages } = script.json() as { messages: { content: string }[] }
    const act = acts[messages.at(-1)?.content.split(' ', 1)[0] ?? '']
    return act ? act(script) : answerWell(script)
  })
}
