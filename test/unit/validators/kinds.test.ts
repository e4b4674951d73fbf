import { describe, expect, test } from 'vitest'
import { chatValidator } from '../../../src/validators/chat.ts'
import { guardrailsAi } from '../../../src/validators/guardrails-ai.ts'
import { httpValidator } from '../../../src/validators/http.ts'
import type { Reading, Subject, ValidatorKind } from '../../../src/validators/kind.ts'
import { vllmClassify } from '../../../src/validators/vllm-classify.ts'
import { validatorConfig } from '../../support/validators.ts'

const input: Subject = { stage: 'input', requestId: 'r', team: 't', app: 'a', env: 'e', model: 'm' }
const output: Subject = { ...input, stage: 'output' }

/** `bad`, `fine`, or `failed`: in one word, what an answer was taken for. */
function word(reading: Reading): string {
  if (!reading.ok) return 'failed'
  return `${reading.verdict.bad ? 'bad' : 'fine'}${reading.verdict.label ? ` ${reading.verdict.label}` : ''}`
}

/** As it would come over the wire: JSON turns what is no JSON into null or nothing. */
const read = (kind: ValidatorKind, answer: unknown, text = 'x') => word(kind.read(answer, text))

describe('vllm-classify', () => {
  const kind = vllmClassify(validatorConfig({ kind: 'vllm-classify', model: 'prompt-guard-2' }))
  const answer = (label: unknown, probs: unknown) => ({ data: [{ index: 0, label, probs, num_classes: 2 }] })

  test('asks as the server wants it', () => {
    expect(kind.url).toBe('http://validator/classify')
    expect(kind.body('hello', input)).toEqual({ model: 'prompt-guard-2', input: 'hello' })
  })

  test.each([
    [answer('BENIGN', [0.99, 0.01]), 'fine BENIGN'],
    [answer('benign', [0.99, 0.01]), 'fine benign'],
    [answer('SAFE', [0.6, 0.4]), 'fine SAFE'],
    [answer('LABEL_0', [0.6, 0.4]), 'fine LABEL_0'],
    [answer('MALICIOUS', [0.1, 0.9]), 'bad MALICIOUS'],
    [answer('LABEL_1', [0.1, 0.9]), 'bad LABEL_1'],
    [answer('something new', [0.1, 0.9]), 'bad'],
    // One class is what the model looks for.
    [answer('LABEL_0', [0.97]), 'bad LABEL_0'],
    [answer('LABEL_0', [0.02]), 'fine LABEL_0'],
    [answer('', [0.5, 0.5]), 'failed'],
    [answer(null, [0.5, 0.5]), 'failed'],
    [answer('BENIGN', []), 'failed'],
    [answer('BENIGN', null), 'failed'],
    [answer('BENIGN', ['0.9', 0.1]), 'failed'],
    [answer('BENIGN', [Number.NaN, 0.1]), 'failed'],
    [answer('BENIGN', [Number.POSITIVE_INFINITY, 0]), 'failed'],
    [answer('BENIGN', [1.2, -0.2]), 'failed'],
    [{ data: [] }, 'failed'],
    [{ data: [answer('BENIGN', [1, 0]).data[0], answer('MALICIOUS', [0, 1]).data[0]] }, 'failed'],
    [{ data: { label: 'BENIGN', probs: [1, 0] } }, 'failed'],
    [{ error: 'no such model' }, 'failed'],
    [[], 'failed'],
    [null, 'failed'],
    ['BENIGN', 'failed'],
  ])('%j is %s', (value, expected) => expect(read(kind, value)).toBe(expected))

  test('a threshold is compared with the probability of the bad', () => {
    const strict = vllmClassify(validatorConfig({ kind: 'vllm-classify', threshold: 0.3 }))
    const lax = vllmClassify(validatorConfig({ kind: 'vllm-classify', threshold: 0.95 }))
    expect(read(strict, answer('BENIGN', [0.65, 0.35]))).toBe('bad BENIGN')
    expect(read(strict, answer('BENIGN', [0.75, 0.25]))).toBe('fine BENIGN')
    expect(read(lax, answer('MALICIOUS', [0.1, 0.9]))).toBe('fine MALICIOUS')
    expect(read(lax, answer('MALICIOUS', [0.04, 0.96]))).toBe('bad MALICIOUS')
  })

  test('labels say what is bad, and nothing else is', () => {
    const only = vllmClassify(validatorConfig({ kind: 'vllm-classify', labels: ['JAILBREAK'] }))
    expect(read(only, answer('JAILBREAK', [0, 0.1, 0.9]))).toBe('bad JAILBREAK')
    expect(read(only, answer('INJECTION', [0, 0.9, 0.1]))).toBe('fine INJECTION')
  })
})

describe('chat', () => {
  const kind = chatValidator(validatorConfig({ kind: 'chat', model: 'guard' }))
  const says = (content: unknown, logprobs?: unknown) => ({
    choices: [{ message: { role: 'assistant', content }, logprobs }],
  })

  test.each([
    [says('safe'), 'fine'],
    [says('\n\nsafe\n'), 'fine'],
    [says('unsafe\nS1'), 'bad S1'],
    [says('\n\nunsafe\nS1,S10\n'), 'bad S1,S10'],
    [says('unsafe'), 'bad'],
    // A text must not get into the record by way of the categories.
    [says('unsafe\nthe password is hunter2'), 'bad'],
    [says('safe-ish'), 'failed'],
    [says('safe.'), 'failed'],
    [says('Safe'), 'failed'],
    [says('The text is safe'), 'failed'],
    [says('I cannot help with that.'), 'failed'],
    [says(''), 'failed'],
    [says(null), 'failed'],
    [says(['safe']), 'failed'],
    [{ choices: [] }, 'failed'],
    [{ choices: [{ text: 'safe' }] }, 'failed'],
    [{ error: { message: 'safe' } }, 'failed'],
    ['safe', 'failed'],
  ])('%j is %s', (value, expected) => expect(read(kind, value)).toBe(expected))

  test('judges the prompt as the word of a user, the answer as that of an assistant', () => {
    expect(kind.url).toBe('http://validator/v1/chat/completions')
    expect(kind.body('hello', input)).toMatchObject({
      model: 'guard',
      temperature: 0,
      messages: [{ role: 'user', content: 'hello' }],
    })
    expect(kind.body('hello', output)['messages']).toMatchObject([
      { role: 'user' },
      { role: 'assistant', content: 'hello' },
    ])
  })

  test('takes an address with the version as well', () => {
    expect(chatValidator(validatorConfig({ kind: 'chat', url: 'http://g/v1' })).url).toBe(
      'http://g/v1/chat/completions',
    )
  })

  test('puts the text into a prompt of its own, whatever signs it has', () => {
    const own = chatValidator(validatorConfig({ kind: 'chat', prompt: 'Is <{text}> safe? {text}' }))
    const messages = [{ role: 'user', content: "Is <$& {text} $'> safe? $& {text} $'" }]
    expect(own.body("$& {text} $'", output)['messages']).toEqual(messages)
  })

  describe('with a threshold', () => {
    const half = chatValidator(validatorConfig({ kind: 'chat', threshold: 0.5 }))
    const token = (text: string, probability: number) => ({ token: text, logprob: Math.log(probability) })
    const sure = (content: string, ...tokens: ReturnType<typeof token>[]) => says(content, { content: tokens })

    test.each([
      [sure('unsafe\nS1', token('\n\n', 0.1), token('uns', 0.9), token('afe', 0.9), token('\nS1', 0.1)), 'bad S1'],
      [sure('unsafe\nS1', token('uns', 0.6), token('afe', 0.6)), 'fine S1'],
      [sure('safe', token('safe', 0.9)), 'fine'],
      [sure('safe', token('safe', 0.4)), 'bad'],
      [says('safe'), 'failed'],
      [says('safe', null), 'failed'],
      [says('safe', { content: [] }), 'failed'],
      [says('safe', { content: [{ token: 'safe', logprob: '0' }] }), 'failed'],
      [says('safe', { content: [{ token: 'safe', logprob: 3 }] }), 'failed'],
      [says('safe', { content: [{ token: 'unsafe', logprob: -0.1 }] }), 'failed'],
    ])('%j is %s', (value, expected) => expect(read(half, value)).toBe(expected))

    test('asks for log probabilities', () => {
      expect(half.body('x', input)).toMatchObject({ logprobs: true })
      expect(kind.body('x', input)).not.toHaveProperty('logprobs')
    })
  })
})

describe('http', () => {
  const kind = httpValidator(validatorConfig({ kind: 'http', url: 'http://validator/check' }))

  test('tells whose text it is', () => {
    expect(kind.url).toBe('http://validator/check')
    expect(kind.body('hello', output)).toEqual({ ...output, text: 'hello' })
  })

  test.each([
    [{ pass: true }, 'fine'],
    [{ pass: false }, 'bad'],
    [{ pass: false, label: 'toxic' }, 'bad toxic'],
    [{ pass: false, label: 'you wrote: my password' }, 'bad'],
    [{ pass: true, more: 1 }, 'fine'],
    [{ pass: 'true' }, 'failed'],
    [{ pass: 1 }, 'failed'],
    [{ pass: null }, 'failed'],
    [{ score: 0 }, 'failed'],
    [{}, 'failed'],
    [[], 'failed'],
    [true, 'failed'],
  ])('%j is %s', (value, expected) => expect(read(kind, value)).toBe(expected))

  const scored = httpValidator(validatorConfig({ kind: 'http', threshold: 0.8 }))
  test.each([
    [{ pass: true, score: 0.8 }, 'bad'],
    [{ pass: false, score: 0.79 }, 'fine'],
    [{ score: 0 }, 'fine'],
    [{ pass: true }, 'failed'],
    [{ score: '0.1' }, 'failed'],
    [{ score: -1 }, 'failed'],
    [{ score: 1.1 }, 'failed'],
    [{ score: Number.NaN }, 'failed'],
  ])('with a threshold of 0.8, %j is %s', (value, expected) => expect(read(scored, value)).toBe(expected))
})

describe('a guard of a Guardrails AI server', () => {
  const kind = guardrailsAi(validatorConfig({ kind: 'http' }), 'no secrets/1')

  test('is asked by its name', () => {
    expect(kind.url).toBe('http://validator/guards/no%20secrets%2F1/validate')
    expect(kind.body('hello', input)).toEqual({ llmOutput: 'hello' })
  })

  test.each([
    [{ validationPassed: true, validatedOutput: 'text', rawLlmOutput: 'text' }, 'fine'],
    [{ validationPassed: true }, 'fine'],
    [{ validationPassed: true, validatedOutput: 't***' }, 'bad'],
    [{ validationPassed: false }, 'bad'],
    [{ validationPassed: null, error: 'x' }, 'failed'],
    [{ validatedOutput: 'text' }, 'failed'],
    [{ detail: 'Not Found' }, 'failed'],
  ])('%j is %s', (value, expected) => expect(read(kind, value, 'text')).toBe(expected))

  test('that raises has not let the text pass', () => {
    expect(kind.readStatus?.(400)).toMatchObject({ ok: true, verdict: { bad: true } })
    expect([401, 404, 422, 500].map(status => kind.readStatus?.(status))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ])
  })
})
