// There is no Vector among the tests. What can be said without it: that it is YAML whose parts fit, and that it loses nothing by
// its settings.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'

const { sources, transforms, sinks } = parse(
  readFileSync(resolve(import.meta.dirname, '../../deploy/vector/vector.yaml'), 'utf8'),
)

test('every input is a part that is there', () => {
  const parts = Object.keys({ ...sources, ...transforms })
  for (const { inputs } of Object.values<{ inputs: string[] }>({ ...transforms, ...sinks }))
    expect(parts).toEqual(expect.arrayContaining(inputs))
})

test('it waits for the destination, and holds up rather than drops', () => {
  expect(sinks.siem).toMatchObject({
    acknowledgements: { enabled: true },
    buffer: { type: 'disk', when_full: 'block' },
  })
})
