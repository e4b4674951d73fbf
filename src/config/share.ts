/** What names an element of a list, where it has one of these. */
const NAMES = ['id', 'name', 'issuer', 'url'] as const

/**
 * The configuration `now`, in which every part that equals its counterpart `before` is that very object: whatever was made of
 * a part can be kept where the part is the same. Elements of lists are counterparts by name, so that one that is added
 * changes none of the others; two equal parts in different places stay two.
 */
export function shareUnchanged<T>(before: unknown, now: T): T {
  if (!isComposite(before) || !isComposite(now)) return now
  const merged = Array.isArray(now) ? Array.isArray(before) && sharedList(before, now) : sharedMembers(before, now)
  if (merged === false) return now
  return (isSame(before, merged as Composite) ? before : merged) as T
}

type Composite = Readonly<Record<string, unknown>>

function isComposite(value: unknown): value is Composite {
  return typeof value === 'object' && value !== null
}

function sharedMembers(before: Composite, now: Composite): Composite {
  return Object.fromEntries(Object.entries(now).map(([key, value]) => [key, shareUnchanged(before[key], value)]))
}

function sharedList(before: readonly unknown[], now: readonly unknown[]): readonly unknown[] {
  const left = Map.groupBy(before, nameOf)
  return now.map(item => shareUnchanged(left.get(nameOf(item))?.shift(), item))
}

/** Elements without a name go by their order. */
function nameOf(item: unknown): string {
  const key = isComposite(item) ? NAMES.find(name => typeof item[name] === 'string') : undefined
  return key === undefined ? '' : `${key} ${String((item as Composite)[key])}`
}

/** Whether all members are the same already. */
function isSame(before: Composite, now: Composite): boolean {
  const keys = Object.keys(now)
  return (
    Array.isArray(before) === Array.isArray(now) &&
    keys.length === Object.keys(before).length &&
    keys.every(key => Object.is(before[key], now[key]))
  )
}
