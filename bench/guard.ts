import { Session } from 'node:inspector/promises'
import { parseArgs } from 'node:util'
import { AnswerGuard } from '../src/guard/answer-guard.ts'
import { scanInjection } from '../src/guard/injection.ts'
import { byGroup, compileSide, type GuardAction, type GuardSide } from '../src/guard/policy.ts'
import { BUILT_IN_RULES } from '../src/guard/recognisers/index.ts'
import { label } from '../src/guard/replacement.ts'
import { Scanner } from '../src/guard/scanner.ts'
import { TextGuard } from '../src/guard/text-guard.ts'
import { StreamGuard } from '../src/pipeline/stream-guard.ts'
import { estimateTextTokens } from '../src/quota/estimate.ts'
import { CHAT_COMPLETIONS } from '../src/wires/chat-completions.ts'
import { coldStart, printFigures } from './guard-figures.ts'

/**
 * What the guard costs by itself: `node bench/guard.ts [--profile NAME]`. Processor time, not time on the clock,
 * so that other work on the machine disturbs little.
 */

const SIZE = 200_000
const ROUNDS = 7
const PIECE = 4

const PROSE =
  'The committee met on Tuesday to discuss the budget for the next year. Most members agreed that the plan, which had ' +
  'been drawn up in March by 14 people, needed work: "It is not ready", said one. They will meet again in 3 weeks. ' +
  'In the meantime, Section 4.2 is rewritten, and the appendix gets a table with 120 rows, as in version 2.0.\n'
const DENSE =
  'Contact Maria at maria.keller@example.org or +49 30 901820, card 4111 1111 1111 1111, IBAN DE89 3704 0044 0532 0130 ' +
  '00, from 192.168.12.7; key AKIAIOSFODNN7EXAMPLE, password = "hunter2-Zq81!", SSN 536-90-4399.\n'
const CODE =
  'export function sum(values: readonly number[]): number {\n  let total = 0\n  for (const value of values) total += ' +
  'value\n  return total // see https://example.com/docs/sum?id=42#top\n}\n'

const TEXTS: Readonly<Record<string, string>> = {
  prose: PROSE,
  code: CODE,
  'personal data': DENSE,
  '1.1.1.1…': '1.1.1.1.1.1.',
  'a.b@a.b@…': 'a.b@',
  'digits 0-9': '0123456789',
  'digits 4 …': '4111 1111 1111 1111',
  'a1b2-…': 'a1b2-',
  hex: 'deadbeef01',
  '::1:…': '1:',
  'AKIA…': 'AKIA',
  'zero-width 1': '1\u200b\u200b\u200b\u200b',
  'full-width': '１２３４　',
}

const { values } = parseArgs({ options: { profile: { type: 'string' }, only: { type: 'string' } } })

function compiled(pii: GuardAction): GuardSide {
  const result = compileSide(byGroup(BUILT_IN_RULES, { pii, secrets: 'redact' }))
  if (!result.ok) throw new Error(JSON.stringify(result.faults))
  return result.side
}

/** Microseconds of processor time, the least of some rounds. */
function cost(work: () => void): number {
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage()
    work()
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, user + system)
  }
  return least
}

function scanPieces(side: GuardSide, text: string, piece: number): void {
  if (!side.enforced) return
  const scanner = new Scanner(side.enforced, ({ rule }) => label(rule))
  for (let at = 0; at < text.length; at += piece) scanner.push(text.slice(at, at + piece))
  scanner.end()
}

const encoder = new TextEncoder()

/** Events as a model server writes them, one for each piece of the text. */
function eventsOf(text: string): Uint8Array[] {
  const head =
    '{"id":"chatcmpl-0000001700000000000","object":"chat.completion.chunk","created":1760000000,"model":"gpt-4o-mini",' +
    '"system_fingerprint":"fp_3fb1e0f9a3","choices":[{"index":0,"delta":{"content":'
  return Array.from({ length: Math.ceil(text.length / PIECE) }, (_, index) => {
    const content = JSON.stringify(text.slice(index * PIECE, (index + 1) * PIECE))
    return encoder.encode(`data: ${head}${content}},"logprobs":null,"finish_reason":null}]}\n\n`)
  })
}

function streamEvents(side: GuardSide, events: readonly Uint8Array[]): void {
  const texts = new TextGuard(side)
  const answers = new AnswerGuard(CHAT_COMPLETIONS, texts, { pass: text => text })
  const guard = new StreamGuard({
    answers,
    texts,
    maxFrameBytes: 1 << 20,
    cutFor: () => null,
    dropUsage: true,
    onText: () => undefined,
    onUsage: () => undefined,
    usage: () => ({ inputTokens: 0, outputTokens: 0 }),
  })
  for (const event of events) guard.push(event)
}

/** Prints where the time of a text goes. */
async function profile(work: () => void): Promise<void> {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: 200 })
  for (let round = 0; round < 3; round++) work()
  await session.post('Profiler.start')
  for (let round = 0; round < 10; round++) work()
  const { profile: result } = await session.post('Profiler.stop')
  const names = new Map(
    result.nodes.map(({ id, callFrame }) => [id, `${callFrame.functionName}:${callFrame.lineNumber}`]),
  )
  const totals = new Map<string, number>()
  for (const id of result.samples ?? []) {
    const name = names.get(id) ?? ''
    totals.set(name, (totals.get(name) ?? 0) + 1)
  }
  const all = result.samples?.length ?? 1
  for (const [name, count] of [...totals].sort((one, other) => other[1] - one[1]).slice(0, 15))
    console.log(`${((100 * count) / all).toFixed(1).padStart(6)} %  ${name}`)
}

/** Characters of a prompt of the length that most have. */
const PROMPT = 400

/** The prompt as it comes out of JSON: in one part, which one cut out of a longer text is not. */
function promptOf(text: string): string {
  return JSON.parse(JSON.stringify(text.slice(0, PROMPT))) as string
}

/** Microseconds of one run of something short. */
function costOfOne(work: () => void): string {
  const runs = 1000
  const many = () => {
    for (let run = 0; run < runs; run++) work()
  }
  return (cost(many) / runs).toFixed(2)
}

const cold = coldStart()
const { side } = cold
const inputSide = compiled('flag')
console.log(`                                                             µs a prompt of ${PROMPT} characters`)
console.log('text            whole MB/s   pieces of 4 MB/s   µs an event      guard  injection     tokens')
for (const [name, unit] of Object.entries(TEXTS)) {
  if (values.only && !name.startsWith(values.only)) continue
  const text = unit.repeat(Math.ceil(SIZE / unit.length)).slice(0, SIZE)
  const events = eventsOf(text.slice(0, 20_000))
  const rate = (piece: number) => (SIZE / cost(() => scanPieces(side, text, piece))).toFixed(1)
  const perEvent = (cost(() => streamEvents(side, events)) / events.length).toFixed(2)
  const prompt = promptOf(text)
  const parts = [
    () => new TextGuard(inputSide).whole(prompt),
    () => scanInjection(prompt),
    () => estimateTextTokens(prompt),
  ]
  const input = parts.map(part => costOfOne(part).padStart(10)).join(' ')
  console.log(
    `${name.padEnd(15)} ${rate(SIZE).padStart(10)} ${rate(PIECE).padStart(18)} ${perEvent.padStart(13)} ${input}`,
  )
  if (values.profile === 'whole') await profile(() => scanPieces(side, text, SIZE))
  if (values.profile === 'pieces') await profile(() => scanPieces(side, text, PIECE))
  if (values.profile === 'events') await profile(() => streamEvents(side, events))
}
if (!values.only) printFigures(cold, PROSE)
