// Writes GGUF v3: what llama.cpp keeps models and adapters in.
const float = new Float32Array(1)
const floatBits = new Uint32Array(float.buffer)
/** Half precision. The values here are small and normal: no infinities to mind. */
export function toHalf(x: number): number {
  float[0] = x
  const bits = floatBits[0] as number
  const sign = (bits >>> 16) & 0x8000
  const exponent = ((bits >>> 23) & 255) - 112
  return exponent <= 0 ? sign : sign | (exponent << 10) | ((bits >>> 13) & 0x3ff)
}
export function fromHalf(half: number): number {
  if ((half & 0x7c00) === 0) return 0
  return (half & 0x8000 ? -1 : 1) * 2 ** (((half >> 10) & 31) - 15) * (1 + (half & 0x3ff) / 1024)
}

export const F32 = 0
export const F16 = 1
const VALUE = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 } as const
type Scalar = 'u32' | 'i32' | 'f32' | 'bool' | 'string'

function u32(n: number) {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(n)
  return bytes
}
function u64(n: number) {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(n))
  return bytes
}
function f32(x: number) {
  const bytes = Buffer.alloc(4)
  bytes.writeFloatLE(x)
  return bytes
}
function string(text: string) {
  const bytes = Buffer.from(text, 'utf8')
  return Buffer.concat([u64(bytes.length), bytes])
}
function value(type: Scalar, v: number | string | boolean): Buffer {
  if (type === 'string') return string(String(v))
  if (type === 'bool') return Buffer.from([v ? 1 : 0])
  return type === 'f32' ? f32(Number(v)) : u32(Number(v))
}
export const entry = (key: string, type: Scalar, v: number | string | boolean) =>
  Buffer.concat([string(key), u32(VALUE[type]), value(type, v)])
export const list = (key: string, type: Scalar, vs: readonly (number | string)[]) =>
  Buffer.concat([string(key), u32(VALUE.array), u32(VALUE[type]), u64(vs.length), ...vs.map(v => value(type, v))])

const ALIGNMENT = 32
const padding = (length: number) => Buffer.alloc((ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT)

export interface Tensor {
  readonly name: string
  readonly dims: readonly number[]
  readonly type: typeof F32 | typeof F16
  readonly body: Buffer
}

/** The whole file of these values and tensors, in parts: that of a large model is more than a buffer should hold. */
export function ggufParts(meta: readonly Buffer[], tensors: readonly Tensor[]): readonly Buffer[] {
  let offset = 0
  const infos = tensors.map(({ name, dims, type, body }) => {
    const info = Buffer.concat([string(name), u32(dims.length), ...dims.map(u64), u32(type), u64(offset)])
    offset += body.length + padding(body.length).length
    return info
  })
  const head = Buffer.concat([Buffer.from('GGUF'), u32(3), u64(tensors.length), u64(meta.length), ...meta, ...infos])
  return [head, padding(head.length), ...tensors.flatMap(({ body }) => [body, padding(body.length)])]
}

export const ggufFile = (meta: readonly Buffer[], tensors: readonly Tensor[]): Buffer =>
  Buffer.concat(ggufParts(meta, tensors))
