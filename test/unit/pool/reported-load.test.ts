import { expect, test } from 'vitest'
import { loadIn } from '../../../src/pool/reported-load.ts'

// As vLLM 0.11 writes them, one series an engine.
const VLLM = `# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="llama"} 3.0
vllm:num_requests_running{engine="1",model_name="llama"} 4.0
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="llama"} 2.0
vllm:num_requests_waiting{engine="1",model_name="llama"} 0.0
vllm:num_requests_waiting_by_reason{reason="capacity"} 2.0
`

const LLAMA = `# HELP llamacpp:requests_processing Number of requests processing.
# TYPE llamacpp:requests_processing gauge
llamacpp:requests_processing 2
# TYPE llamacpp:requests_deferred gauge
llamacpp:requests_deferred 5
`

test.each([
  ['vllm', VLLM, 9],
  ['llama.cpp', LLAMA, 7],
  ['vllm', LLAMA, undefined],
  ['ollama', VLLM, undefined],
  ['vllm', 'vllm:num_requests_running NaN\nvllm:num_requests_waiting -1\n', undefined],
  ['vllm', '', undefined],
] as const)('%s', (kind, metrics, expected) => {
  expect(loadIn(metrics, kind)).toBe(expected)
})
