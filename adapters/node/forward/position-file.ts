import { mkdir, open, readFile, rename, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Position, PositionPlace, Refusal } from '../../../src/ports/forward-log.ts'
import { errorCode, reasonOf } from '../error-code.ts'
import { type FileLock, takeLock } from '../file-lock.ts'

/** Notes of refused records beyond this are moved aside, and those moved aside before are gone. */
const MAX_NOTES_BYTES = 4 * 1024 * 1024
const HEX = /^[0-9a-f]{64}$/

/** Where the position of one destination of a log is kept. */
export function positionPath(logFile: string, name: string): string {
  return join(`${logFile}.forward`, `${name}.json`)
}

/** A destination's position, `NAME.json`, and what it refused, `NAME.refused.jsonl`, in the folder beside the log. */
export class PositionFile implements PositionPlace {
  readonly #path: string
  #lock: FileLock | undefined

  constructor(logFile: string, name: string) {
    this.#path = positionPath(logFile, name)
  }

  async open(): ReturnType<PositionPlace['open']> {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 })
    if (this.#lock?.held() !== true) {
      await this.#lock?.release()
      this.#lock = undefined
      this.#lock = await takeLock(`${this.#path}.lock`)
    }
    return await readPosition(this.#path)
  }

  /** In one piece: a crash leaves the position before or this one. */
  async save({ seq, id, end }: Position): Promise<void> {
    if (this.#lock?.held() !== true) throw new Error(`${this.#path}: its lock was taken away`)
    const draft = `${this.#path}.draft`
    await using file = await open(draft, 'w', 0o600)
    await file.writeFile(`${JSON.stringify({ seq, id, end })}\n`)
    await file.datasync()
    await rename(draft, this.#path)
  }

  async note(refusal: Refusal): Promise<void> {
    const path = this.#path.replace(/\.json$/, '.refused.jsonl')
    const size = await stat(path).then(
      state => state.size,
      () => 0,
    )
    if (size > MAX_NOTES_BYTES) await rename(path, `${path}.old`)
    await using file = await open(path, 'a', 0o600)
    await file.writeFile(`${JSON.stringify({ time: new Date().toISOString(), ...refusal })}\n`)
    await file.datasync()
  }

  async close(): Promise<void> {
    await this.#lock?.release()
    this.#lock = undefined
  }
}

/** Reads a position without taking hold of it. Rejects when the disk fails. */
export async function readPosition(path: string): ReturnType<PositionPlace['open']> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { ok: true, position: undefined }
    throw new Error(`${path}: ${reasonOf(error)}`, { cause: error })
  }
  const position = parsed(text)
  return position === undefined ? { ok: false, reason: `${path}: is no position` } : { ok: true, position }
}

function parsed(text: string): Position | undefined {
  try {
    const { seq, id, end } = JSON.parse(text) as Partial<Position>
    const isWhole = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value)
    if (!isWhole(seq) || seq < 1 || !isWhole(end) || end < 1) return undefined
    return typeof id === 'string' && HEX.test(id) ? { seq, id, end } : undefined
  } catch {
    return undefined
  }
}
