import { execFile } from 'node:child_process'
import { closeSync, mkdirSync, openSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { Database } from '../../../../adapters/embedded/database.ts'
import { MIGRATIONS } from '../../../../adapters/embedded/migrations.ts'
import { StartError } from '../../../../adapters/node/start-error.ts'
import { StoreUnavailableError } from '../../../../src/ports/state-store.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const INSERT = 'INSERT INTO revocation (id, until, document) VALUES (:id, 1, :id)'
const COUNT = 'SELECT count(*) AS n FROM revocation'

function sqlite(path: string, sql: string): void {
  const database = new DatabaseSync(path)
  database.exec(sql)
  database.close()
}

test('a new file is private, and keeps what was written', () => {
  const path = join(tempDir(), 'state', 'sallyport.db')
  const database = new Database(path)
  database.run(INSERT, { id: 'one' })
  for (const file of [path, `${path}-wal`]) expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700)
  database.close()
  database.close()
  const again = new Database(path)
  expect(again.all(COUNT)).toEqual([{ n: 1 }])
  again.close()
})

test.each<[string, (path: string) => void, RegExp]>([
  ['a folder', path => mkdirSync(path), /cannot be written: EISDIR/],
  [
    'no database',
    path => writeFileSync(path, 'this is something else, and longer than a header. '.repeat(20)),
    /not a database/,
  ],
  ['another program’s database', path => sqlite(path, 'CREATE TABLE t (x)'), /another program's database/],
  [
    'one of a later release',
    path => {
      new Database(path).close()
      sqlite(path, `PRAGMA user_version = ${MIGRATIONS.length + 1}`)
    },
    /written by a later release \(schema \d+; this one knows \d+\)/,
  ],
  [
    'one that is damaged',
    path => {
      const database = new Database(path)
      for (let at = 0; at < 500; at++) database.run(INSERT, { id: `id-${at}`.padEnd(100, '-') })
      database.close()
      // The first page is left as it was, so that it is the content that is wrong.
      const file = openSync(path, 'r+')
      writeSync(file, Buffer.alloc(20_000, 0xa5), 0, 20_000, 8192)
      closeSync(file)
    },
    /is damaged|malformed/,
  ],
])('refuses %s, naming the file', (_, prepare, reason) => {
  const path = join(tempDir(), 'sallyport.db')
  prepare(path)
  expect(() => new Database(path)).toThrow(StartError)
  expect(() => new Database(path)).toThrow(path)
  expect(() => new Database(path)).toThrow(reason)
})

test('refuses a folder that is none', () => {
  const dir = tempDir()
  writeFileSync(join(dir, 'file'), '')
  expect(() => new Database(join(dir, 'file', 'sallyport.db'))).toThrow(/cannot be written: (EEXIST|ENOTDIR)/)
})

test('a transaction is whole or nothing', () => {
  const database = new Database(join(tempDir(), 'sallyport.db'))
  const work = () =>
    database.transaction(() => {
      database.run(INSERT, { id: 'one' })
      throw new TypeError('a bug')
    })
  expect(work).toThrow(TypeError)
  expect(database.all(COUNT)).toEqual([{ n: 0 }])
  database.transaction(() => database.run(INSERT, { id: 'one' }))
  expect(() => database.transaction(() => database.run(INSERT, { id: 'one' }))).toThrow(StoreUnavailableError)
  expect(database.all(COUNT)).toEqual([{ n: 1 }])
  database.close()
})

test('waits for another writer no longer than it was told, and reads all the same', () => {
  const path = join(tempDir(), 'sallyport.db')
  const [one, other] = [new Database(path), new Database(path, { busyMs: 80 })]
  one.transaction(() => {
    const started = performance.now()
    expect(() => other.run(INSERT, { id: 'one' })).toThrow(/locked/)
    const tookMs = performance.now() - started
    expect(tookMs).toBeGreaterThan(50)
    expect(tookMs).toBeLessThan(1000)
    expect(other.all(COUNT)).toEqual([{ n: 0 }])
  })
  other.run(INSERT, { id: 'one' })
  for (const database of [one, other]) database.close()
})

test('several processes may make it at the same time, and all that they write is there', {
  timeout: 30_000,
}, async () => {
  const path = join(tempDir(), 'sallyport.db')
  const child = fileURLToPath(new URL('write-child.ts', import.meta.url))
  const runs = ['node', 'bun', 'node', 'bun'].map(async (runtime, at) => {
    const program = runtime === 'node' ? process.execPath : 'bun'
    const { stdout, stderr } = await promisify(execFile)(program, [child, path, `${runtime}-${at}`], {
      env: { ...process.env, VITEST: undefined },
    })
    expect([stdout.trim(), stderr]).toEqual(['50', ''])
  })
  await Promise.all(runs)
  const database = new Database(path)
  expect(database.all(COUNT)).toEqual([{ n: 200 }])
  database.close()
})
