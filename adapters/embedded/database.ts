import { closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { StoreUnavailableError } from '../../src/ports/state-store.ts'
import { reasonOf } from '../node/error-code.ts'
import { StartError } from '../node/start-error.ts'
import { MIGRATIONS } from './migrations.ts'

/** "SPRT" in ASCII: marks a SQLite file as one of ours (`PRAGMA application_id`). */
const APPLICATION_ID = 0x53505254
/** SQLite waits for other writers inside the call, and with it this whole process. Their transactions take milliseconds. */
const BUSY_MS = 100

export interface DatabaseOptions {
  /** Longest wait for another process that writes; a command that serves nobody else may wait longer. */
  readonly busyMs?: number
}

/**
 * The embedded store on disk: one SQLite file (`node:sqlite`, which Node and Bun both bring), shared by every process
 * that opens it. What a transaction has written survives a crash and the loss of power (WAL, synchronous FULL).
 *
 * The calls are synchronous: a read takes microseconds, a write the time of one fsync.
 */
export class Database {
  readonly path: string
  readonly #busyMs: number
  #connection: DatabaseSync
  #inode: number
  #statements = new Map<string, StatementSync>()

  /** @throws StartError naming the file, where it cannot be opened or written, is damaged, or is of a later release */
  constructor(path: string, { busyMs = BUSY_MS }: DatabaseOptions = {}) {
    this.path = path
    this.#busyMs = busyMs
    const opened = open(path, busyMs)
    this.#connection = opened.connection
    this.#inode = opened.inode
  }

  /** All rows of a query, or of none where the statement returns nothing. Statements are prepared once. */
  all(sql: string, parameters: Readonly<Record<string, string | number | null>> = {}): Record<string, unknown>[] {
    return this.#attempt(() => this.#statement(sql).all(parameters))
  }

  /** Runs a statement; returns how many rows it has changed. */
  run(sql: string, parameters: Readonly<Record<string, string | number | null>> = {}): number {
    return this.#attempt(() => Number(this.#statement(sql).run(parameters).changes))
  }

  /** As `transaction`, without waiting for the disk: the end of the process loses nothing, the loss of power may. */
  quickTransaction<T>(work: () => T): T {
    this.#attempt(() => this.#connection.exec('PRAGMA synchronous = NORMAL'))
    try {
      return this.transaction(work)
    } finally {
      this.#attempt(() => this.#connection.exec('PRAGMA synchronous = FULL'))
    }
  }

  /** Does all of `work`, or none of it; nobody else writes in between. */
  transaction<T>(work: () => T): T {
    this.#attempt(() => this.#connection.exec('BEGIN IMMEDIATE'))
    try {
      const result = work()
      this.#attempt(() => this.#connection.exec('COMMIT'))
      return result
    } catch (error) {
      if (this.#connection.isTransaction) this.#connection.exec('ROLLBACK')
      throw error
    }
  }

  /** Opens the file at the path anew if it is another one by now: what was deleted or replaced is written by nobody else. */
  reopenIfReplaced(): void {
    if (inodeOf(this.path) === this.#inode) return
    this.#attempt(() => {
      const { connection, inode } = open(this.path, this.#busyMs)
      this.#connection.close()
      this.#connection = connection
      this.#inode = inode
      this.#statements = new Map()
    })
  }

  close(): void {
    if (this.#connection.isOpen) this.#connection.close()
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#connection.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  #attempt<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      if (error instanceof StoreUnavailableError) throw error
      throw new StoreUnavailableError(`${this.path}: ${sqliteReason(error)}`)
    }
  }
}

function open(path: string, busyMs: number): { connection: DatabaseSync; inode: number } {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    // Made here, so that nobody else can read it; SQLite gives the files beside it the same mode.
    closeSync(openSync(path, 'a', 0o600))
  } catch (error) {
    throw new StartError(`${path} cannot be written: ${reasonOf(error)}`, { cause: error })
  }
  let connection: DatabaseSync | undefined
  try {
    // Not imported: what keeps its state in Redis does not load it.
    const { DatabaseSync: Connection } = process.getBuiltinModule('node:sqlite')
    connection = new Connection(path, { timeout: busyMs })
    connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    migrate(connection, path)
    return { connection, inode: inodeOf(path) ?? 0 }
  } catch (error) {
    connection?.close()
    if (error instanceof StartError) throw error
    throw new StartError(`${path} cannot be used: ${sqliteReason(error)}`, { cause: error })
  }
}

/** Brings the tables up to this release. Takes the write lock, so it also finds out whether the file can be written. */
function migrate(connection: DatabaseSync, path: string): void {
  const read = (pragma: string) => Number(Object.values(connection.prepare(`PRAGMA ${pragma}`).get() ?? {})[0])
  const damage = Object.values(connection.prepare('PRAGMA quick_check(1)').get() ?? {})[0]
  if (damage !== 'ok') throw new StartError(`${path} is damaged: ${String(damage)}`)
  connection.exec('BEGIN IMMEDIATE')
  const version = read('user_version')
  const isEmpty = version === 0 && read('schema_version') === 0
  if (!isEmpty && read('application_id') !== APPLICATION_ID)
    throw new StartError(`${path} is another program's database`)
  if (version > MIGRATIONS.length) {
    throw new StartError(
      `${path} was written by a later release (schema ${version}; this one knows ${MIGRATIONS.length})`,
    )
  }
  for (const sql of MIGRATIONS.slice(version)) connection.exec(sql)
  connection.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${MIGRATIONS.length}; COMMIT`)
}

function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino
}

/** SQLite's own words, which name tables and columns but hold no values. */
function sqliteReason(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown'
}
