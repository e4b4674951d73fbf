/**
 * Forgets what is over, a few entries at a time, so that no call pays for all of them and no timer is needed. The
 * returned function looks at the next `count` entries and goes round and round; while it runs more often than entries
 * are added, the map holds little more than what is still in use.
 */
export function createSweeper<V>(
  entries: Map<string, V>,
  isOver: (value: V, nowMs: number) => boolean,
): (nowMs: number, count: number) => void {
  let cursor = entries.entries()
  return (nowMs, count) => {
    for (let looked = 0; looked < count; looked++) {
      const next = cursor.next()
      if (next.done) {
        cursor = entries.entries()
        return
      }
      if (isOver(next.value[1], nowMs)) entries.delete(next.value[0])
    }
  }
}
