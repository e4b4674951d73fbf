import fc from 'fast-check'
import { expect, test } from 'vitest'
import { guardJsonText } from '../../../src/guard/json-text.ts'

const guard = (text: string) => text.replaceAll(/\d{3}-\d{2}-\d{4}|4111111111111111/g, '[X]')

test('strings are guarded on their decoded form, and the rest stays as it was written', () => {
  expect(guardJsonText('{ "a" : "\\u0031\\u0032\\u0033-45-6789", "b": [1, true, null] }', guard)).toBe(
    '{ "a" : "[X]", "b": [1, true, null] }',
  )
})

test('a number that must go becomes a string, so that it is JSON still', () => {
  expect(guardJsonText('{"card":4111111111111111}', guard)).toBe('{"card":"[X]"}')
})

test('keys are text too', () => {
  expect(guardJsonText('{"123-45-6789":1}', guard)).toBe('{"[X]":1}')
})

test('what is not JSON is guarded as it stands', () => {
  expect(guardJsonText('{"a": "123-45-6789', guard)).toBe('{"a": "[X]')
})

test('the structure of any JSON survives', () => {
  fc.assert(
    fc.property(fc.json(), json => {
      expect(JSON.parse(guardJsonText(json, guard))).toEqual(JSON.parse(json))
      expect(guardJsonText(json, text => text)).toBe(json)
    }),
  )
})
