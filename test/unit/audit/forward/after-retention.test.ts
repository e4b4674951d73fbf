import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { oldestUnsent } from '../../../../adapters/node/forward/oldest-unsent.ts'
import { positionPath } from '../../../../adapters/node/forward/position-file.ts'
import { headOf } from '../../../../src/audit/forward/record-line.ts'
import type { ForwardConfig } from '../../../../src/config/forward-config.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const DIGEST = 'ab'.repeat(32)
const named = (name: string) => ({ name, kind: 'stdout' }) as ForwardConfig

describe('the oldest record that somebody has still to get', () => {
  const file = join(tempDir(), 'audit.jsonl')
  const put = (name: string, text: string) => {
    mkdirSync(dirname(positionPath(file, name)), { recursive: true })
    writeFileSync(positionPath(file, name), text)
  }
  put('near', JSON.stringify({ seq: 90, id: DIGEST, end: 5 }))
  put('far', JSON.stringify({ seq: 40, id: DIGEST, end: 5 }))
  put('damaged', 'half a posi')

  test.each([
    [[], undefined],
    [['near'], 91],
    [['near', 'far'], 41],
    [['near', 'new'], 1],
    [['near', 'damaged'], 1],
  ])('to %j: %s', async (names, oldest) => {
    expect(await oldestUnsent({ file, forward: names.map(named) })).toBe(oldest)
  })
})

test('what retention leaves in the place of records is none', () => {
  const line = `{"deletedFrom":3,"hash":"${DIGEST}","prev":"${DIGEST}","run":"r","seq":7}`
  expect(headOf(line)).toBeUndefined()
  expect(headOf(line.replace('"deletedFrom":3', '"app":"a"'))).toMatchObject({ seq: 7, id: DIGEST })
})
