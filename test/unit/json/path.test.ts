import { expect, test } from 'vitest'
import { pathOf } from '../../../src/json/path.ts'

const encoder = new TextEncoder()

test.each([
  ['{"a":"HERE"}', '.a'],
  ['{"a":{"b":[1,{"c":"x, \\"y\\": ["},"HERE"]}}', '.a.b[2]'],
  ['{"a":[{"b":1},{"c" : "HERE"}]}', '.a[1].c'],
  ['{"a":{"b":{}},"c":"HERE"}', '.c'],
  ['{"\\u0061":"HERE"}', '.a'],
  ['["HERE"]', '[0]'],
])('in %s', (json, expected) => {
  const before = '{"other":"é"} '
  const bytes = encoder.encode(before + json)
  const start = encoder.encode(before).length
  expect(pathOf(bytes, start, start + encoder.encode(json.slice(0, json.indexOf('HERE'))).length)).toBe(expected)
})
