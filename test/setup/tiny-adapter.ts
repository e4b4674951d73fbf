// Writes a LoRA adapter of rank 1 for the model `tiny`: enough to load, and to change what it says.
import { entry, F32, ggufFile, type Tensor } from './gguf.ts'

const DIM = 64

export function tinyAdapter(): Buffer {
  const row = (name: string, dims: readonly number[]): Tensor => ({
    name,
    dims,
    type: F32,
    body: Buffer.from(new Float32Array(DIM).fill(0.5).buffer),
  })
  const meta = [
    entry('general.type', 'string', 'adapter'),
    entry('general.architecture', 'string', 'llama'),
    entry('adapter.type', 'string', 'lora'),
    entry('adapter.lora.alpha', 'f32', 16),
  ]
  const weight = 'blk.0.attn_output.weight'
  return ggufFile(meta, [row(`${weight}.lora_a`, [DIM, 1]), row(`${weight}.lora_b`, [1, DIM])])
}
