import { constants } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { FILE_TIMEOUT_MS } from '../../src/config/limits.ts'
import type { FileText } from '../../src/config/substitute.ts'
import { errorCode, reasonOf } from './error-code.ts'

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  ENOTDIR: 'part of the path is no folder',
}

/** A pipe would be waited for without an end, and to open a device may do something. */
const NO_FILE: FileText = { ok: false, reason: 'it is no regular file' }
const FOLDER: FileText = { ok: false, reason: 'it is a folder' }

/**
 * Reads a small regular file of UTF-8 text, holding at most `maxBytes` of it. Never rejects, and gives up after
 * `timeoutMs`: files of a network may hang.
 */
export async function readText(path: string, maxBytes: number, timeoutMs = FILE_TIMEOUT_MS): Promise<FileText> {
  const { promise, resolve } = Promise.withResolvers<FileText>()
  const reason = `it cannot be read within ${timeoutMs} ms`
  const timer = setTimeout(() => resolve({ ok: false, reason }), timeoutMs)
  try {
    return await Promise.race([promise, read(path, maxBytes)])
  } finally {
    clearTimeout(timer)
  }
}

async function read(path: string, maxBytes: number): Promise<FileText> {
  try {
    const before = await stat(path)
    if (!before.isFile()) return before.isDirectory() ? FOLDER : NO_FILE
    // Does not block, if a pipe has taken the file's place.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    if (!(await file.stat()).isFile()) return NO_FILE
    const buffer = new Uint8Array(maxBytes + 1)
    let length = 0
    while (length < buffer.length) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length)
      if (bytesRead === 0) break
      length += bytesRead
    }
    if (length > maxBytes) return { ok: false, reason: `it has more than ${maxBytes} bytes` }
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, length)) }
  } catch (error) {
    if (error instanceof TypeError) return { ok: false, reason: 'it is not UTF-8 text' }
    return { ok: false, reason: REASONS[errorCode(error) ?? ''] ?? reasonOf(error) }
  }
}
