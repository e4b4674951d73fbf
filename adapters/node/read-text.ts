import { open } from 'node:fs/promises'
import type { FileText } from '../../src/config/substitute.ts'
import { errorCode, reasonOf } from './error-code.ts'

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a folder',
  ENOTDIR: 'part of the path is no folder',
}

/** Reads a small file of UTF-8 text, holding at most `maxBytes` of it. Never rejects. */
export async function readText(path: string, maxBytes: number): Promise<FileText> {
  try {
    await using file = await open(path, 'r')
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
