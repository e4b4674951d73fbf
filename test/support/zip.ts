import { crc32 } from 'node:zlib'

/** A ZIP of stored entries (APPNOTE.TXT 4.3), all with the same content. */
export function zipOf(names: readonly string[], content = Buffer.from('x')): Buffer {
  const locals: Buffer[] = []
  const central: Buffer[] = []
  let offset = 0
  for (const name of names) {
    const bytes = Buffer.from(name)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt32LE(crc32(content), 10)
    common.writeUInt32LE(content.length, 14)
    common.writeUInt32LE(content.length, 18)
    common.writeUInt16LE(bytes.length, 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, bytes, content])
    const rest = Buffer.alloc(14)
    rest.writeUInt32LE(offset, 10)
    central.push(Buffer.concat([Buffer.from('PK\x01\x02'), Buffer.from([20, 0]), common, rest, bytes]))
    locals.push(local)
    offset += local.length
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(names.length, 8)
  end.writeUInt16LE(names.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...locals, directory, end])
}

/** A safetensors file with an empty header of the given length, and data behind it. */
export function safetensors(headerLength: number, data: Buffer = Buffer.alloc(16)): Buffer {
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(headerLength))
  return Buffer.concat([length, Buffer.from('{}'.padEnd(headerLength)), data])
}
