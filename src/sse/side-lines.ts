/**
 * The lines of an event stream beside its data: comments, and the fields `event`, `id` and `retry`. They say nothing of the
 * answer; what could carry text through them does not pass.
 */

const decoder = new TextDecoder()

/** Longer lines are none that a model server has a use for. */
const MAX_LINE = 256

/** Names of events, and ids. */
const NAME = /^[\w.:/-]*$/
const FIELD = /^(event|id|retry)(?:: ?(.*))?$/
/** What a comment that keeps the connection alive says, if anything. */
const COMMENT = /^:[\w ._:/+-]*$/

/**
 * Whether the line may pass. `isClear` tells whether no rule finds anything in a text.
 *
 * Fields that no client knows are ignored by all of them (WHATWG HTML, "server-sent events"): they are dropped.
 */
export function maySideLinePass(line: Uint8Array, isClear: (text: string) => boolean): boolean {
  if (line.length > MAX_LINE) return false
  const text = decoder.decode(line)
  if (text.startsWith(':')) return COMMENT.test(text) && isClear(text.slice(1))
  const [, name, value = ''] = FIELD.exec(text) ?? []
  if (name === undefined) return false
  if (name === 'retry') return /^\d{1,9}$/.test(value)
  return NAME.test(value) && isClear(value)
}
