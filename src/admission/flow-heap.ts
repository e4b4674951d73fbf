/** What a heap needs to know of a flow. */
export interface HeapFlow {
  /** Virtual time at which its next request begins. */
  tag: number
  /** Breaks ties: flows that came earlier go first. */
  order: number
  /** Where it is in the heap; -1: nowhere. Kept by the heap. */
  place: number
}

/** A binary heap of flows by tag that knows where each of them is: every change is O(log n). */
export class FlowHeap<F extends HeapFlow> {
  private readonly flows: F[] = []

  get size(): number {
    return this.flows.length
  }

  /** The flow with the smallest tag. */
  first(): F | undefined {
    return this.flows[0]
  }

  add(flow: F): void {
    this.flows.push(flow)
    this.rise(flow, this.flows.length - 1)
  }

  remove(flow: F): void {
    const { place } = flow
    const last = this.flows.pop() as F
    flow.place = -1
    if (last === flow) return
    last.place = place
    this.moved(last)
  }

  /** Puts a flow where it belongs since its tag has changed. */
  moved(flow: F): void {
    this.rise(flow, flow.place)
    this.sink(flow, flow.place)
  }

  private rise(flow: F, from: number): void {
    let at = from
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = this.flows[above] as F
      if (!isBefore(flow, parent)) break
      this.put(parent, at)
      at = above
    }
    this.put(flow, at)
  }

  private sink(flow: F, from: number): void {
    const { flows } = this
    let at = from
    for (;;) {
      let below = 2 * at + 1
      if (below >= flows.length) break
      if (below + 1 < flows.length && isBefore(flows[below + 1] as F, flows[below] as F)) below++
      const child = flows[below] as F
      if (!isBefore(child, flow)) break
      this.put(child, at)
      at = below
    }
    this.put(flow, at)
  }

  private put(flow: F, at: number): void {
    this.flows[at] = flow
    flow.place = at
  }
}

function isBefore(a: HeapFlow, b: HeapFlow): boolean {
  return a.tag < b.tag || (a.tag === b.tag && a.order < b.order)
}
