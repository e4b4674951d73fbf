import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { formatOf, HEAD_BYTES, type WeightFormat } from '../../../src/weights/formats.ts'

/** The end of a ZIP: its record, and a comment of up to 64 KiB behind it. */
const MAX_END_BYTES = 22 + 0xffff
const END_SIGNATURE = 0x06054b50
const ENTRY_SIGNATURE = 0x02014b50
const END64_LOCATOR_BYTES = 20
const MAX_DIRECTORY_BYTES = 64 * 1024 * 1024

type ZipEntries = readonly string[] | 'unreadable'

/** What a file is, by its beginning and, where it is a ZIP, by the names in it. */
export async function readFormat(path: string): Promise<WeightFormat> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  const { size } = await file.stat()
  const head = await readAt(file, 0, Math.min(size, HEAD_BYTES))
  // What readers of ZIP look for is its end: anything may stand in front.
  return formatOf(path, head, size, await zipEntries(file, size))
}

async function zipEntries(file: FileHandle, size: number): Promise<ZipEntries | undefined> {
  if (size < 22) return undefined
  const start = Math.max(0, size - MAX_END_BYTES)
  const tail = await readAt(file, start, size - start)
  for (let at = tail.length - 22; at >= 0; at--) {
    if (tail[at] !== 0x50 || tail.readUInt32LE(at) !== END_SIGNATURE) continue
    if (at + 22 + tail.readUInt16LE(at + 20) > tail.length) continue
    return directory(file, size, start + at, tail.readUInt32LE(at + 12), tail.readUInt32LE(at + 16))
  }
  return undefined
}

/** The names of the central directory, which ends where the end record, or that of ZIP64 in front of it, begins. */
async function directory(
  file: FileHandle,
  size: number,
  end: number,
  length: number,
  offset: number,
): Promise<ZipEntries> {
  let [from, bytes] = [offset, length]
  if (from === 0xffff_ffff || bytes === 0xffff_ffff) {
    if (end < END64_LOCATOR_BYTES) return 'unreadable'
    const locator = await readAt(file, end - END64_LOCATOR_BYTES, END64_LOCATOR_BYTES)
    const record = await readAt(file, Number(locator.readBigUInt64LE(8)), 56)
    if (record.length < 56) return 'unreadable'
    bytes = Number(record.readBigUInt64LE(40))
    from = Number(record.readBigUInt64LE(48))
  }
  if (bytes > MAX_DIRECTORY_BYTES || from + bytes > size) return 'unreadable'
  const data = await readAt(file, from, bytes)
  const names: string[] = []
  for (let at = 0; at + 46 <= data.length && data.readUInt32LE(at) === ENTRY_SIGNATURE; ) {
    const nameEnd = at + 46 + data.readUInt16LE(at + 28)
    names.push(data.toString('latin1', at + 46, nameEnd))
    at = nameEnd + data.readUInt16LE(at + 30) + data.readUInt16LE(at + 32)
  }
  return names.length > 0 || bytes === 0 ? names : 'unreadable'
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  const { bytesRead } = await file.read(buffer, 0, length, position)
  return buffer.subarray(0, bytesRead)
}
