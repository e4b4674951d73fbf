import { expect, test } from 'vitest'
import { type PromptPrefix, promptPrefix } from '../../../src/pool/prompt-prefix.ts'

type Message = { role: string; content: unknown }

const chat = (messages: readonly Message[], scope: readonly string[] = ['m']) =>
  promptPrefix({ messages }, ['messages'], scope)
const user = (content: unknown): Message => ({ role: 'user', content })
const assistant = (content: string): Message => ({ role: 'assistant', content })
const last = ({ hashes }: PromptPrefix) => hashes.at(-1)

const TURN = [{ role: 'system', content: 'Be kind.' }, user('What is a sally port?')]

test('the next turn of a conversation begins with the whole of this one', () => {
  const before = chat(TURN)
  const after = chat([...TURN, assistant('A door.'), user('Why two of them?')])
  expect(after.hashes.slice(0, 2)).toEqual(before.hashes)
  expect(after.hashes).toHaveLength(4)
  expect(after.lengths.at(-1)).toBeGreaterThan(before.lengths.at(-1) ?? 0)
})

test.each<[string, PromptPrefix]>([
  ['text', chat([TURN[0] as Message, user('What is a sally porf?')])],
  ['role', chat([TURN[0] as Message, { role: 'tool', content: 'What is a sally port?' }])],
  ['earlier message', chat([{ role: 'system', content: 'Be mean.' }, TURN[1] as Message])],
  ['scope', chat(TURN, ['m', 'blue'])],
  ['part of a message', chat([TURN[0] as Message, user([{ type: 'text', text: 'What is a sally port?' }])])],
])('another %s is another prompt', (_, other) => {
  expect(last(other)).not.toBe(last(chat(TURN)))
})

test('texts that begin alike have their beginnings in common, up to where they part', () => {
  const shared = 'All work and no play makes Jack a dull boy. '.repeat(100)
  const a = promptPrefix({ prompt: `${shared}First question?` }, ['prompt'], ['m'])
  const b = promptPrefix({ prompt: `${shared}Second question?` }, ['prompt'], ['m'])
  const common = a.hashes.filter(hash => b.hashes.includes(hash))
  expect(common.length).toBe(8)
  expect(a.lengths[common.length - 1]).toBeGreaterThan(shared.length - 512)
  expect(last(a)).not.toBe(last(b))
})

test('fields are read in order, and those that are not there are passed over', () => {
  const names = ['system', 'messages']
  const withSystem = promptPrefix({ messages: TURN, system: 'S' }, names, [])
  expect(withSystem.hashes).toEqual(promptPrefix({ system: 'S', messages: TURN }, names, []).hashes)
  expect(withSystem.hashes).toHaveLength(3)
  expect(promptPrefix({ messages: TURN }, names, []).hashes).toHaveLength(2)
})

test('of a long conversation the first and the last beginnings are kept', () => {
  const messages = Array.from({ length: 500 }, (_, at) => user(`message ${at}`))
  const all = chat(messages)
  expect(all.hashes).toHaveLength(16)
  expect(all.hashes.slice(0, 4)).toEqual(chat(messages.slice(0, 4)).hashes)
  expect(all.hashes).toContain(last(chat(messages.slice(0, 498))))
})

test('costs a long text little', () => {
  const long = [user('x'.repeat(1_000_000)), user('and now?')]
  for (let at = 0; at < 200; at++) chat(long)
  const began = performance.now()
  for (let at = 0; at < 200; at++) chat(long)
  expect((performance.now() - began) / 200).toBeLessThan(0.5)
})
