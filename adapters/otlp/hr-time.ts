/** Milliseconds as OpenTelemetry writes times: whole seconds, and nanoseconds. */
export function hrTime(ms: number): [seconds: number, nanoseconds: number] {
  const seconds = Math.floor(ms / 1000)
  return [seconds, Math.min(999_999_999, Math.max(0, Math.round((ms - seconds * 1000) * 1e6)))]
}
