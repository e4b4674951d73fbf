import type { Refusal } from '../errors/refusal.ts'

const decoder = new TextDecoder()

/** Seconds, as servers say them; dates are none of theirs. */
export function retryAfterMs(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) * 1000 : undefined
}

/**
 * What a model server's own refusal becomes. Its message is for operators: it may repeat the prompt or name internals. Only
 * that a prompt was too long is passed on, since the caller can do something about it.
 */
export function refusalOf(status: number, bytes: Uint8Array): Refusal {
  const reason = `the model server answered ${status}`
  if (status === 400 || status === 413 || status === 422) {
    const text = decoder.decode(bytes.subarray(0, 4096))
    if (/exceed_context_size|context_length_exceeded|maximum context length|context size/.test(text)) {
      return { code: 'prompt_too_long', reason, message: "The prompt is longer than the model's context." }
    }
    return { code: 'upstream_refused', reason }
  }
  if (status === 429) return { code: 'upstream_busy', reason, headers: { 'retry-after': '1' } }
  if (status === 503) return { code: 'upstream_unavailable', reason }
  return { code: 'upstream_failed', reason }
}
