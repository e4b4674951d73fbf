import fc from 'fast-check'
import { expect, test } from 'vitest'
import { WordReader } from '../../../src/guard/injection-words.ts'
import { Vocabulary } from '../../../src/guard/vocabulary.ts'

const WORDS = ['ignore', 'dont', 'system', 'a', 'all2', 'ﬁ', 'été', '𝒳x']

interface Word {
  readonly word: string | undefined
  readonly opens: boolean
  readonly startsLine: boolean
  readonly startsSentence: boolean
  readonly hasColon: boolean
}

/** What the reader says of each word, asked while it is the last one. */
function wordsOf(reader: WordReader): Word[] {
  const words: Word[] = []
  while (reader.read()) {
    const at = reader.count - 1
    const id = reader.id(at)
    words.push({
      word: id === 0 ? undefined : WORDS[id - 1],
      opens: reader.opens(at),
      startsLine: reader.startsLine(at),
      startsSentence: reader.startsSentence(at),
      hasColon: reader.hasColon(at),
    })
  }
  return words
}

function readAll(text: string, reader = new WordReader(new Vocabulary(WORDS))): Word[] {
  reader.open(text)
  return wordsOf(reader)
}

const texts = fc
  .array(fc.oneof(fc.constantFrom(...WORDS, 'IGNORE', "Don't", 'System:', '. ', ' ', '\n', ' : ', "'"), fc.string()), {
    maxLength: 12,
  })
  .map(pieces => pieces.join(' '))

test('a text of ASCII is read as its lower-case form is, whatever was read before', () => {
  const reader = new WordReader(new Vocabulary(WORDS))
  let read = 0
  fc.assert(
    fc.property(texts, text => {
      const isAscii = /^[\x00-\x7f]*$/.test(text)
      expect(reader.openAscii(text)).toBe(isAscii)
      if (!isAscii) reader.open(text)
      else read++
      const words = wordsOf(reader)
      reader.close()
      expect(words).toEqual(readAll(isAscii ? text.toLowerCase() : text))
    }),
    { numRuns: 2000 },
  )
  expect(read).toBeGreaterThan(100)
})

test('words are found by letters and digits, an apostrophe inside not counted', () => {
  const found = readAll('ignore all2 don\'t, "été": 𝒳x ﬁ unknown').map(({ word }) => word)
  expect(found).toEqual(['ignore', 'all2', 'dont', 'été', '𝒳x', 'ﬁ', undefined])
})

test('nothing of a longer text is seen behind a shorter one', () => {
  const reader = new WordReader(new Vocabulary(WORDS))
  readAll('system     :::: ignore', reader)
  expect(readAll('system', reader)).toMatchObject([{ word: 'system', hasColon: false }])
})

test('a text longer than the room that is kept', () => {
  const reader = new WordReader(new Vocabulary(WORDS))
  const long = 'ignore '.repeat(20_000)
  expect(reader.openAscii(long)).toBe(true)
  expect(wordsOf(reader)).toHaveLength(20_000)
  reader.close()
  expect(readAll('a', reader)).toHaveLength(1)
})
