import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Charge, FairQueue, PATIENCE, type Ticket } from '../../src/admission/fair-queue.ts'

/**
 * Start-time fair queueing as its paper writes it, on plain lists: no heap, no links, everything looked for anew. Teams
 * are charged what they declare: `share` is what the queue has learned, told to the reference step by step.
 */
class Reference {
  private readonly classes: number
  private readonly weights: Readonly<Record<string, number>>
  private readonly bounds: { readonly perTeam: number; readonly total: number }
  waiting: { id: number; team: string; level: number; declared: number; came: number }[] = []
  private readonly tags = new Map<string, number>()
  private readonly came = new Map<string, number>()
  private readonly shares = new Map<string, number>()
  private readonly now: number[]
  private readonly latest: number[]
  private readonly passed: number[]
  private running = 0

  constructor(classes: number, weights: Readonly<Record<string, number>>, bounds: { perTeam: number; total: number }) {
    this.classes = classes
    this.weights = weights
    this.bounds = bounds
    this.now = Array<number>(classes).fill(0)
    this.latest = Array<number>(classes).fill(0)
    this.passed = Array<number>(classes).fill(0)
  }

  enter(id: number, team: string, level: number, declared: number): 'ok' | 'full' | 'team_full' {
    if (this.waiting.length >= this.bounds.total) return 'full'
    if (this.waiting.filter(one => one.team === team).length >= this.bounds.perTeam) return 'team_full'
    if (!this.waiting.some(one => one.team === team && one.level === level)) {
      this.wake(team, level)
      this.came.set(`${team} ${level}`, id)
    }
    this.waiting.push({ id, team, level, declared, came: id })
    return 'ok'
  }

  begin(team: string, level: number, declared: number): number {
    this.wake(team, level)
    return this.charge(team, level, declared)
  }

  leave(id: number): void {
    const gone = this.waiting.find(one => one.id === id)
    this.waiting = this.waiting.filter(one => one.id !== id)
    if (gone && !this.waiting.some(one => one.level === gone.level)) this.passed[gone.level] = 0
  }

  next(): { id: number; team: string; level: number; declared: number } | undefined {
    const level = this.nextLevel()
    if (level === undefined) return undefined
    const rank = (team: string) => [this.tagOf(team, level), this.came.get(`${team} ${level}`) ?? 0] as const
    const there = this.waiting.filter(one => one.level === level)
    return there.sort((a, b) => {
      const [tagA, cameA] = rank(a.team)
      const [tagB, cameB] = rank(b.team)
      return tagA - tagB || cameA - cameB || a.id - b.id
    })[0]
  }

  start(): number {
    const next = this.next()
    if (!next) throw new Error('nobody waits')
    const charged = this.charge(next.team, next.level, next.declared)
    this.leave(next.id)
    this.passed[next.level] = 0
    for (let level = next.level + 1; level < this.classes; level++) {
      if (this.waiting.some(one => one.level === level)) this.passed[level] = (this.passed[level] ?? 0) + 1
    }
    return charged
  }

  settle(team: string, level: number, declared: number, charged: number, used: number): void {
    if (used > 0) {
      const seen = Math.min(8, Math.max(1 / 1024, used / Math.max(1, declared)))
      const share = this.shares.get(team) ?? seen
      this.shares.set(team, share + (seen - share) / 8)
    }
    this.put(team, level, this.tagOf(team, level) + (used - charged) / this.weightOf(team))
    if (--this.running === 0 && this.waiting.length === 0) {
      for (let each = 0; each < this.classes; each++) this.now[each] = this.latest[each] ?? 0
    }
  }

  private nextLevel(): number | undefined {
    const there = [...Array(this.classes).keys()].filter(level => this.waiting.some(one => one.level === level))
    const patient = there.filter(level => (this.passed[level] ?? 0) >= PATIENCE)
    return patient.sort((a, b) => (this.passed[b] ?? 0) - (this.passed[a] ?? 0) || a - b)[0] ?? there[0]
  }

  private charge(team: string, level: number, declared: number): number {
    const charged = Math.max(1, declared * (this.shares.get(team) ?? 1))
    const tag = this.tagOf(team, level)
    this.now[level] = Math.max(this.now[level] ?? 0, tag)
    this.put(team, level, tag + charged / this.weightOf(team))
    this.running++
    return charged
  }

  private wake(team: string, level: number): void {
    const others = this.waiting.filter(one => one.level === level).map(one => this.tagOf(one.team, level))
    const from = Math.min(this.now[level] ?? 0, ...others)
    this.tags.set(`${team} ${level}`, Math.max(this.tagOf(team, level), from))
  }

  private put(team: string, level: number, tag: number): void {
    this.tags.set(`${team} ${level}`, tag)
    this.latest[level] = Math.max(this.latest[level] ?? 0, tag)
  }

  private tagOf(team: string, level: number): number {
    return this.tags.get(`${team} ${level}`) ?? 0
  }

  private weightOf(team: string): number {
    return this.weights[team] ?? 1
  }
}

const TEAMS = ['a', 'b', 'c', 'd', 'e'] as const
const WEIGHTS = { a: 1, b: 3, c: 1, d: 10, e: 2 } as const

const tokens = fc.integer({ min: 0, max: 5000 })
const arrival = fc.record({
  kind: fc.constant('arrive' as const),
  team: fc.constantFrom(...TEAMS),
  level: fc.nat(2),
  declared: tokens,
})
const step = fc.oneof(
  { weight: 6, arbitrary: arrival },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('serve' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('end' as const), which: fc.nat(), used: tokens }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave' as const), which: fc.nat() }) },
)

test('every schedule goes as in the reference, whoever comes, leaves, and uses more or less than it was charged', () => {
  let served = 0
  let fullTimes = 0
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 200, size: 'max' }), steps => {
      const bounds = { perTeam: 6, total: 20 }
      const queue = new FairQueue<number>({ ...bounds, classes: 3, weightOf: team => WEIGHTS[team as 'a'] })
      const reference = new Reference(3, WEIGHTS, bounds)
      const tickets = new Map<number, Ticket<number>>()
      const running: { charge: Charge; team: string; level: number }[] = []
      let id = 0
      const run = (charge: Charge, team: string, level: number, expected: number) => {
        expect(charge.charged).toBeCloseTo(expected, 6)
        running.push({ charge, team, level })
      }
      for (const each of steps) {
        if (each.kind === 'arrive') {
          const { team, level, declared } = each
          id++
          if (queue.size === 0 && id % 2 === 0) {
            run(queue.begin(team, level, declared), team, level, reference.begin(team, level, declared))
          } else {
            const ticket = queue.enter(team, level, declared, id)
            const expected = reference.enter(id, team, level, declared)
            if (typeof ticket === 'string') {
              expect(ticket).toBe(expected)
              fullTimes++
            } else {
              expect(expected).toBe('ok')
              tickets.set(id, ticket)
            }
          }
        } else if (each.kind === 'serve') {
          const next = reference.next()
          expect(queue.next()?.item).toBe(next?.id)
          if (next) {
            served++
            run(queue.start(), next.team, next.level, reference.start())
            expect(queue.leave(tickets.get(next.id) as Ticket<number>)).toBe(false)
            tickets.delete(next.id)
          } else {
            expect(() => queue.start()).toThrow(RangeError)
          }
        } else if (each.kind === 'end' && running.length > 0) {
          const [{ charge, team, level }] = running.splice(each.which % running.length, 1) as [(typeof running)[number]]
          queue.settle(charge, each.used)
          queue.settle(charge, each.used + 1)
          reference.settle(team, level, charge.declared, charge.charged, each.used)
        } else if (each.kind === 'leave' && tickets.size > 0) {
          const [gone, ticket] = [...tickets][each.which % tickets.size] as [number, Ticket<number>]
          expect(queue.leave(ticket)).toBe(true)
          expect(queue.leave(ticket)).toBe(false)
          reference.leave(gone)
          tickets.delete(gone)
        }
        expect(queue.size).toBe(reference.waiting.length)
        for (const team of TEAMS) {
          expect(queue.sizeOf(team)).toBe(reference.waiting.filter(one => one.team === team).length)
        }
      }
      // Work-conserving: whoever is left is served, in the reference's order.
      while (reference.waiting.length > 0) {
        expect(queue.next()?.item).toBe(reference.next()?.id)
        queue.start()
        reference.start()
      }
      expect(queue.next()).toBeUndefined()
    }),
    { numRuns: 300 },
  )
  expect(served).toBeGreaterThan(1000)
  expect(fullTimes).toBeGreaterThan(10)
})

interface Team {
  readonly name: string
  readonly weight: number
  /** What its requests declare, and what they use, in turns. */
  readonly requests: readonly { readonly declared: number; readonly used: number }[]
}

/** Serves teams that always have somebody waiting, `slots` at a time, and says what each used. */
function serveAll(teams: readonly Team[], slots: number, rounds: number, lasts: () => number) {
  const weights = new Map(teams.map(({ name, weight }) => [name, weight]))
  const queue = new FairQueue<string>({
    classes: 1,
    weightOf: name => weights.get(name) ?? 1,
    perTeam: 100,
    total: 1000,
  })
  const used = new Map(teams.map(({ name }) => [name, 0]))
  const counts = new Map(teams.map(({ name }) => [name, 0]))
  const at = (team: Team, index: number) => team.requests[index % team.requests.length] as Team['requests'][number]
  const entered = new Map(teams.map(({ name }) => [name, 0]))
  const fill = () => {
    for (const team of teams) {
      while (queue.sizeOf(team.name) < 3) {
        const index = entered.get(team.name) ?? 0
        queue.enter(team.name, 0, at(team, index).declared, team.name)
        entered.set(team.name, index + 1)
      }
    }
  }
  const running: { charge: Charge; tokens: number; until: number }[] = []
  for (let now = 0; now < rounds; now++) {
    for (let index = running.length - 1; index >= 0; index--) {
      const each = running[index] as (typeof running)[number]
      if (each.until > now) continue
      queue.settle(each.charge, each.tokens)
      running.splice(index, 1)
    }
    while (running.length < slots) {
      fill()
      const name = queue.next()?.item as string
      const team = teams.find(one => one.name === name) as Team
      const count = counts.get(name) ?? 0
      counts.set(name, count + 1)
      const tokens = at(team, count).used
      used.set(name, (used.get(name) ?? 0) + tokens)
      running.push({ charge: queue.start(), tokens, until: now + lasts() })
    }
  }
  return used
}

test('teams that always wait get tokens by weight, whatever they declare and use', () => {
  const request = fc
    .integer({ min: 1, max: 1000 })
    .chain(used => fc.record({ used: fc.constant(used), declared: fc.integer({ min: used, max: 8000 }) }))
  const team = fc.record({
    weight: fc.integer({ min: 1, max: 5 }),
    requests: fc.array(request, { minLength: 1, maxLength: 5 }),
  })
  fc.assert(
    fc.property(
      fc.array(team, { minLength: 2, maxLength: 4 }),
      fc.integer({ min: 1, max: 4 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 5 })),
      (shapes, slots, durations) => {
        const teams = shapes.map((shape, index) => ({ ...shape, name: `t${index}` }))
        const used = serveAll(teams, slots, 4000, () => durations.next().value as number)
        const perWeight = teams.map(({ name, weight }) => (used.get(name) ?? 0) / weight)
        // What runs at the same time, and what the learning of the first requests has cost, is not more than this.
        const most = Math.max(...teams.flatMap(({ requests }) => requests.map(({ declared }) => declared)))
        expect(Math.max(...perWeight) - Math.min(...perWeight)).toBeLessThan(most * (slots + 2))
      },
    ),
    { numRuns: 100 },
  )
})

test('nobody starves: a class waits for its turn through no more than a bound of others, a team through one each', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(2), { minLength: 200, maxLength: 400 }), arrivals => {
      const queue = new FairQueue<number>({ classes: 3, weightOf: () => 1, perTeam: 1000, total: 1000 })
      let passed = [0, 0, 0]
      for (const level of arrivals) {
        queue.enter('a', level, 100, level)
        queue.enter('b', level, 100, level)
        const served = queue.next()?.item as number
        queue.settle(queue.start(), 100)
        passed = passed.map((count, each) => (each === served ? 0 : count + 1))
        // A class that has had nobody waiting so far counts as passed over too: only later ones are looked at.
        for (const each of [0, 1, 2]) {
          if (arrivals.slice(0, 40).includes(each)) expect(passed[each]).toBeLessThanOrEqual(40 + PATIENCE + 2)
        }
      }
    }),
    { numRuns: 100 },
  )
})
