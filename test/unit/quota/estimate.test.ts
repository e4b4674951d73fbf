import { describe, expect, test } from 'vitest'
import { estimateInputTokens, estimateTextTokens, largestOutput } from '../../../src/quota/estimate.ts'

describe('estimating input', () => {
  // The counts of cl100k_base (GPT-4), o200k_base (GPT-4o), Llama 3's and Llama 2's own tokenizers; the largest of them.
  const counted: [name: string, text: string, tokens: number][] = [
    ['English', 'The quick brown fox jumps over the lazy dog.', 12],
    [
      'Chinese',
      '人工智能是计算机科学的一个分支，它企图了解智能的实质，并生产出一种新的能以人类智能相似的方式做出反应的智能机器。',
      68,
    ],
    [
      'Japanese',
      '人工知能とは、計算という概念とコンピュータという道具を用いて知能を研究する計算機科学の一分野を指す語。',
      57,
    ],
    [
      'Korean',
      '인공지능은 인간의 학습능력, 추론능력, 지각능력을 인공적으로 구현하려는 컴퓨터 과학의 세부분야 중 하나이다.',
      98,
    ],
    ['Greek', 'Ο όρος τεχνητή νοημοσύνη αναφέρεται στον κλάδο της πληροφορικής', 61],
    ['Hebrew', 'בינה מלאכותית היא ענף של מדעי המחשב העוסק ביכולתם של מחשבים', 59],
    ['Thai', 'ปัญญาประดิษฐ์คือความฉลาดเทียมที่สร้างขึ้นให้กับสิ่งที่ไม่มีชีวิต', 72],
    [
      'Finnish',
      'Tekoäly on tietokone tai tietokoneohjelma, joka kykenee älykkäiksi laskettaviin toimintoihin epäjärjestelmällistyttämättömyydellä.',
      59,
    ],
    ['emoji', '😀🎉👩‍👩‍👧‍👦🇩🇪🚀🔥💯', 47],
  ]

  test.each(counted)('%s: no less than tokenizers count, and no more than three times', (_, text, tokens) => {
    expect(estimateTextTokens(text)).toBeGreaterThanOrEqual(tokens)
    expect(estimateTextTokens(text)).toBeLessThanOrEqual(3 * tokens)
  })

  test('English costs less than half a token a letter, and far less than a token a byte', () => {
    const text = 'Please summarise the attached report for the board in three short paragraphs. '.repeat(20)
    expect(estimateTextTokens(text)).toBeLessThan(text.length / 2.5)
  })

  test('digits, keys, spaces and line ends are counted as what they are', () => {
    expect(estimateTextTokens('1234567890')).toBe(10)
    expect(estimateTextTokens('a b c d')).toBe(4)
    expect(estimateTextTokens(' '.repeat(400))).toBe(100)
    expect(estimateTextTokens('\n\n\t')).toBe(3)
    expect(estimateTextTokens('aB3xZ9qL')).toBe(8)
    expect(estimateTextTokens('')).toBe(0)
  })

  test('adds what templates add, once for the request and once a message', () => {
    const bare = estimateInputTokens([], 0)
    expect(bare).toBeGreaterThan(0)
    expect(estimateInputTokens(['one', 'two'], 2)).toBe(bare + 2 * 8 + 2)
  })

  test('half a surrogate pair counts as the three bytes that replace it', () => {
    expect(estimateTextTokens('\ud83d')).toBe(3)
  })
})

describe('the largest output', () => {
  test.each([
    ['nothing asked: the model decides', {}, 4096],
    ['one bound', { max_tokens: 100 }, 100],
    ['the largest of several', { max_tokens: 10, max_completion_tokens: 300, max_output_tokens: 200 }, 300],
    ['null is no bound', { max_tokens: null, max_completion_tokens: 50 }, 50],
    ['never more than the model gives', { max_tokens: 1e9 }, 4096],
    ['times n and best_of', { max_tokens: 100, n: 3, best_of: 4 }, 1200],
    ['times n, each as much as the model gives', { max_tokens: 1e9, n: 2 }, 8192],
    ['a strange bound is no bound', { max_tokens: -1, max_completion_tokens: 5 }, 4096],
    ['nor is zero, or a text', { max_tokens: 0 }, 4096],
    ['a text', { max_tokens: '10' }, 4096],
    ['a strange n is one', { max_tokens: 7, n: 0, best_of: 'x' }, 7],
    ['never beyond whole numbers', { n: Number.MAX_SAFE_INTEGER, best_of: 9 }, Number.MAX_SAFE_INTEGER],
  ])('%s', (_, bounds, expected) => {
    expect(largestOutput(bounds, 4096)).toBe(expected)
  })
})
