/** Values that ask for nothing: clients send them unasked, and a server that does not know the field does the same without it. */
const NEUTRAL: Readonly<Record<string, readonly unknown[]>> = {
  n: [1],
  best_of: [1],
  logprobs: [false],
  top_logprobs: [0],
  top_k: [-1, 0],
  min_p: [0],
  presence_penalty: [0],
  frequency_penalty: [0],
  repeat_penalty: [1],
  repetition_penalty: [1],
  parallel_tool_calls: [true],
  tool_choice: ['auto'],
  truncation: ['disabled'],
  suffix: [''],
}

/** Whether a field may be left out where no server of the model takes it. */
export function isNeutral(name: string, value: unknown): boolean {
  if (name === 'logit_bias') return typeof value === 'object' && value !== null && Object.keys(value).length === 0
  return Object.hasOwn(NEUTRAL, name) && (NEUTRAL[name] ?? []).includes(value)
}
