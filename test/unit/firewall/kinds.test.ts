import { describe, expect, test } from 'vitest'
import type { ModelConfig, UpstreamKind } from '../../../src/config/config.ts'
import { REFUSED_FIELDS, SERVER_KINDS } from '../../../src/firewall/kinds.ts'
import { DEFAULT_LIMITS, LIMITS } from '../../../src/firewall/limits.ts'
import { offerOf } from '../../../src/firewall/offer.ts'
import { ENDPOINTS } from '../../../src/openai/endpoints.ts'
import { SAMPLE_FIELDS } from '../../conformance/sample-fields.ts'

const fieldsOf = (path: string) => Object.keys(ENDPOINTS.find(endpoint => endpoint.path === path)?.fields ?? {})

/** What the facts about model servers name as dangers of the body: each is unknown to callers or refused. */
const DANGERS =
  `id_slot lora n_probs n_predict return_tokens response_fields reasoning_control cache_prompt samplers chat_template
   prompt_logprobs echo priority kv_transfer_params guided_json guided_regex guided_choice guided_grammar
   structured_outputs mm_processor_kwargs allowed_token_ids vllm_xargs cache_salt request_id stream_interval
   previous_response_id conversation options keep_alive think json_schema`.split(/\s+/)

describe.each(Object.values(SERVER_KINDS))('the data of $kind', ({ serves, refuses }) => {
  test.each(Object.keys(serves))('%s: fields are known, named once, and no server would miss a required one', path => {
    const { takes, drops = [], sets = {} } = serves[path]!
    const known = new Set(fieldsOf(path))
    expect([...takes, ...drops].filter(name => !known.has(name))).toEqual([])
    expect(new Set([...takes, ...drops]).size).toBe(takes.length + drops.length)
    for (const name of ENDPOINTS.find(endpoint => endpoint.path === path)?.required ?? []) expect(takes).toContain(name)
    // What the gateway says is said instead of the caller's word, not beside it.
    for (const name of Object.keys(sets)) expect(takes).not.toContain(name)
  })

  test('what it refuses it takes nowhere', () => {
    const taken = Object.values(serves).flatMap(({ takes }) => takes)
    const except = ['documents', 'service_tier', 'store']
    expect(Object.keys(refuses).filter(name => taken.includes(name) && !except.includes(name))).toEqual([])
  })
})

test('every field of an endpoint is taken by some kind, and has a sample for the tests', () => {
  for (const { path } of ENDPOINTS) {
    const taken = Object.values(SERVER_KINDS).flatMap(({ serves }) => [
      ...(serves[path]?.takes ?? []),
      ...(serves[path]?.drops ?? []),
    ])
    expect(fieldsOf(path).filter(name => !taken.includes(name))).toEqual([])
    expect(fieldsOf(path).sort()).toEqual(['model', ...Object.keys(SAMPLE_FIELDS[path] ?? {})].sort())
  }
})

test('every danger is refused', () => {
  const asked = new Set(['store'])
  for (const name of DANGERS.filter(one => !asked.has(one))) {
    expect([name, REFUSED_FIELDS.get(name)]).toEqual([name, expect.any(String)])
    for (const { fields } of ENDPOINTS) expect(Object.keys(fields)).not.toContain(name)
  }
})

test('every limit has a default within its ceiling, and unless it is off, one that lets something through', () => {
  for (const [name, { default: value, ceiling }] of Object.entries(LIMITS)) {
    expect(value).toBeLessThanOrEqual(ceiling)
    if (name !== 'grammarCharacters') expect(value).toBeGreaterThan(0)
  }
  expect(DEFAULT_LIMITS.grammarCharacters).toBe(0)
})

describe('what a model is served with', () => {
  const model = (kinds: readonly UpstreamKind[], more: Partial<ModelConfig> = {}): ModelConfig => ({
    id: 'm',
    callerSystem: 'allow',
    countTokens: 'auto',
    limits: DEFAULT_LIMITS,
    upstreams: kinds.map(kind => ({
      url: 'http://a/v1',
      kind,
      cacheSalt: 'team',
      weight: 1,
      health: { url: 'http://a/health', everyMs: 5000, timeoutMs: 2000 },
    })),
    ...more,
  })
  const endpoints = (kinds: readonly UpstreamKind[], more: Partial<ModelConfig> = {}) => [
    ...offerOf(model(kinds, more)).endpoints.keys(),
  ]

  test('is what all its servers serve', () => {
    expect(endpoints(['llama.cpp', 'vllm'])).toHaveLength(7)
    expect(endpoints(['ollama'])).toEqual(['/v1/chat/completions', '/v1/completions', '/v1/embeddings'])
    expect(endpoints(['vllm', 'ollama', 'vllm'])).toEqual(['/v1/chat/completions', '/v1/completions', '/v1/embeddings'])
    expect(endpoints(['ollama', 'openai', 'llama.cpp'])).toEqual(endpoints(['ollama']))
  })

  test('is what all of them take or can do without', () => {
    const chat = offerOf(model(['llama.cpp', 'vllm'])).endpoints.get('/v1/chat/completions')
    for (const name of ['top_k', 'n', 'user', 'metadata']) expect(chat?.has(name)).toBe(true)
    for (const name of ['repeat_penalty', 'repetition_penalty', 'grammar', 'functions']) {
      expect(chat?.has(name)).toBe(false)
    }
  })

  test('has no raw prompts where somebody else writes the system prompt', () => {
    expect(endpoints(['vllm'], { systemPrompt: 'x' })).not.toContain('/v1/completions')
    expect(endpoints(['vllm'], { callerSystem: 'refuse' })).not.toContain('/v1/completions')
    expect(endpoints(['vllm'], { callerSystem: 'demote' })).not.toContain('/v1/completions')
  })
})
