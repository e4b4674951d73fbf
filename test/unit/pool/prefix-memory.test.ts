import { expect, test } from 'vitest'
import { PrefixMemory } from '../../../src/pool/prefix-memory.ts'
import { promptPrefix } from '../../../src/pool/prompt-prefix.ts'

const prompt = (...messages: string[]) => promptPrefix({ messages }, ['messages'], ['m'])
const SYSTEM = 'You are the company assistant. '.repeat(10)

test('a conversation is known by its last turn, and by an earlier one where the caller went back', () => {
  const memory = new PrefixMemory(1000)
  memory.remember(prompt(SYSTEM, 'one'), 2)
  expect(memory.conversation(prompt(SYSTEM, 'one', 'answer', 'two'))).toBe(2)
  memory.remember(prompt(SYSTEM, 'one', 'answer', 'two'), 3)
  expect(memory.conversation(prompt(SYSTEM, 'one', 'answer', 'two', 'answer', 'three'))).toBe(3)
  expect(memory.conversation(prompt(SYSTEM, 'one', 'answer', 'another two', 'x', 'three'))).toBe(3)
})

test('a system prompt in common makes no conversation, and is a prefix where it is half of the prompt', () => {
  const memory = new PrefixMemory(1000)
  memory.remember(prompt(SYSTEM, 'one'), 2)
  expect(memory.conversation(prompt(SYSTEM, 'other'))).toBeUndefined()
  expect(memory.prefix(prompt(SYSTEM, 'other'))).toBe(2)
  expect(memory.prefix(prompt(SYSTEM, 'other'.repeat(100)))).toBeUndefined()
  expect(memory.prefix(prompt('Something else', 'one'))).toBeUndefined()
})

test('the same prompt again is a prefix, and no conversation', () => {
  const memory = new PrefixMemory(1000)
  memory.remember(prompt(SYSTEM, 'one'), 1)
  expect(memory.conversation(prompt(SYSTEM, 'one'))).toBeUndefined()
  expect(memory.prefix(prompt(SYSTEM, 'one'))).toBe(1)
})

test('keeps no more than it may, and the ones used last', () => {
  const memory = new PrefixMemory(100)
  for (let at = 0; at < 10_000; at++) {
    memory.remember(prompt(`conversation ${at}`), at % 4)
    memory.remember(prompt('in use all the time'), 3)
    expect(memory.size).toBeLessThanOrEqual(100)
  }
  expect(memory.conversation(prompt('conversation 9990', 'x'))).toBe(9990 % 4)
  expect(memory.conversation(prompt('in use all the time', 'x'))).toBe(3)
  expect(memory.conversation(prompt('conversation 3', 'x'))).toBeUndefined()
})
