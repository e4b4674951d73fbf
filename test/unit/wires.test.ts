import { describe, expect, test } from 'vitest'
import { ReleasedOutput } from '../../src/wires/released-output.ts'
import { ResponseNumbers } from '../../src/wires/response-numbers.ts'

describe('numbers that a model server left out', () => {
  test('follow the order of items and parts', () => {
    const numbers = new ResponseNumbers()
    const at = (type: string, id: string) => numbers.event(`response.${type}`, { item_id: id }).fields
    expect(at('output_item.added', 'a')).toEqual({ output_index: 0 })
    expect(at('content_part.added', 'a')).toEqual({ output_index: 0, content_index: 0 })
    expect(at('output_item.added', 'b')).toEqual({ output_index: 1 })
    expect(at('output_text.delta', 'a')).toEqual({ output_index: 0, content_index: 0 })
    expect(at('content_part.done', 'a')).toEqual({ output_index: 0, content_index: 0 })
    expect(at('content_part.added', 'a')).toEqual({ output_index: 0, content_index: 1 })
    expect(at('function_call_arguments.delta', 'b')).toEqual({ output_index: 1 })
    expect(numbers.event('response.completed', {})).toEqual({ fields: {}, missing: [] })
  })

  test('are left alone where there are some', () => {
    const numbers = new ResponseNumbers()
    const keys = { item_id: 'a', output_index: 4, content_index: 2 }
    expect(numbers.event('response.output_text.delta', keys)).toEqual({ fields: {}, missing: [] })
  })

  test('the text of a reasoning item is opened, once', () => {
    const numbers = new ResponseNumbers()
    const keys = { item_id: 'a' }
    const delta = () => numbers.event('response.reasoning_text.delta', keys).missing
    numbers.event('response.output_item.added', keys)
    const part = { type: 'reasoning_text', text: '' }
    const added = { type: 'response.content_part.added', item_id: 'a', output_index: 0, content_index: 0, part }
    expect([delta(), delta()]).toEqual([[added], []])
  })
})

describe('what has been let out of an answer', () => {
  const channel = (type: string, name: 'content' | 'reasoning' | 'refusal' | 'arguments', id = 'a') => ({
    name,
    type: `response.${type}.delta`,
    field: 'delta',
    keys: { item_id: id },
  })

  test('is kept item by item, as far as it has come', () => {
    const output = new ReleasedOutput()
    output.item({ id: 'r', type: 'reasoning', summary: [] }, false, 10)
    output.grow(channel('reasoning_text', 'reasoning', 'r'), 'Hm')
    output.grow(channel('reasoning_summary_text', 'reasoning', 'r'), 'In short')
    output.item({ id: 'a', type: 'message', role: 'assistant', content: [] }, false, 10)
    output.grow(channel('output_text', 'content'), 'One ')
    const before = output.mark()
    output.grow(channel('output_text', 'content'), 'two')
    output.item({ id: 'f', type: 'function_call', name: 'g', arguments: '' }, false, 10)
    output.grow(channel('function_call_arguments', 'arguments', 'f'), '{"a"')
    output.item({ id: 'd', type: 'message', content: [{ text: 'whole' }] }, true, 10)
    output.grow(channel('output_text', 'content', 'nobody'), 'x')
    const status = 'incomplete'
    expect(output.mark()()).toEqual([
      {
        id: 'r',
        type: 'reasoning',
        status,
        content: [{ type: 'reasoning_text', text: 'Hm' }],
        summary: [{ type: 'summary_text', text: 'In short' }],
      },
      {
        id: 'a',
        type: 'message',
        role: 'assistant',
        status,
        content: [{ type: 'output_text', text: 'One two', annotations: [] }],
      },
      { id: 'f', type: 'function_call', name: 'g', status, arguments: '{"a"' },
      { id: 'd', type: 'message', content: [{ text: 'whole' }] },
    ])
    // What came later is not in what was there.
    expect(before()).toHaveLength(2)
    expect(before()[1]).toMatchObject({ content: [{ text: 'One ' }] })
  })

  test('is let go of where it is too much', () => {
    const output = new ReleasedOutput()
    output.item({ id: 'a', type: 'message' }, false, 10)
    for (let at = 0; at < 5; at++) output.grow(channel('output_text', 'content'), 'x'.repeat(1024 * 1024))
    expect(output.mark()()).toEqual([])
  })
})
