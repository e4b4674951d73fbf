import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hasDuplicateNames } from '../../../src/json/duplicate-names.ts'

test.each([
  '{"a":1,"a":2}',
  '{"a":{"b":1,"c":[],"b":2}}',
  '[{"x":0},{"y":1,"y":1}]',
  '{"a":1,"b":{"a":1},"a":1}',
  '{"team":"x","\\u0074eam":"y"}',
  '{ "a" : "}" , "b\\"" : 1 , "b\\"" : 2 }',
  '{"":1,"":2}',
])('%s has', json => {
  expect(hasDuplicateNames(json)).toBe(true)
})

test.each([
  '{}',
  '{"a":"a","b":"a"}',
  '{"a":{"a":{"a":1}}}',
  '[{"a":1},{"a":1}]',
  '["a","a"]',
  '{"a":["a","a"],"A":1}',
  '{"a":"\\"a\\":1,","b":"{\\"a\\":1"}',
])('%s has not', json => {
  expect(hasDuplicateNames(json)).toBe(false)
})

test('what a writer of JSON writes never has, whatever the names', () => {
  fc.assert(fc.property(fc.json(), json => !hasDuplicateNames(JSON.stringify(JSON.parse(json)))))
})
