import { expect, test } from 'vitest'
import { FairQueue, PATIENCE } from '../../../src/admission/fair-queue.ts'

function queueOf(weights: Readonly<Record<string, number>> = {}, classes = 1) {
  return new FairQueue<string>({ classes, weightOf: team => weights[team] ?? 1, perTeam: 20_000, total: 50_000 })
}

/** Serves the next `count` requests, each over as soon as it has begun, and says whose they were. */
function serve(queue: FairQueue<string>, count: number, used = 100): string {
  let served = ''
  for (let each = 0; each < count; each++) {
    served += queue.next()?.item ?? '-'
    if (queue.size > 0) queue.settle(queue.start(), used)
  }
  return served
}

test('a request of a team that has had nothing goes before a thousand of another', () => {
  const queue = queueOf()
  for (let each = 0; each < 1000; each++) queue.enter('a', 0, 100, 'a')
  expect(serve(queue, 3)).toBe('aaa')
  queue.enter('b', 0, 4000, 'B')
  expect(serve(queue, 3)).toBe('Baa')
})

test('the order within a team is that of arrival, and whoever leaves is passed over', () => {
  const queue = queueOf()
  const tickets = [...'12345'].map(item => queue.enter('a', 0, 100, item))
  for (const at of [0, 2, 4]) {
    const ticket = tickets[at]
    if (typeof ticket === 'object') queue.leave(ticket)
  }
  expect(serve(queue, 3)).toBe('24-')
})

test('weights of 3 to 1 are three requests to one where all cost the same', () => {
  const queue = queueOf({ a: 3 })
  for (let each = 0; each < 100; each++) {
    queue.enter('a', 0, 100, 'a')
    queue.enter('b', 0, 100, 'b')
  }
  expect(serve(queue, 40).replaceAll('b', '')).toHaveLength(30)
})

test('tokens count, not requests', () => {
  const queue = queueOf()
  for (let each = 0; each < 100; each++) {
    queue.enter('a', 0, 1000, 'a')
    queue.enter('b', 0, 100, 'b')
  }
  const served: Record<string, number> = { a: 0, b: 0 }
  for (let each = 0; each < 55; each++) {
    const team = queue.next()?.item as string
    served[team] = (served[team] ?? 0) + 1
    queue.settle(queue.start(), team === 'a' ? 1000 : 100)
  }
  expect(served).toEqual({ a: 5, b: 50 })
})

test('a team that asks for far more than it uses gets its share all the same, also while its requests run', () => {
  const queue = queueOf()
  for (let each = 0; each < 400; each++) {
    queue.enter('modest', 0, 50, 'm')
    queue.enter('greedy', 0, 5000, 'g')
  }
  // Ten at a time: what begins is settled ten later.
  const running: (() => void)[] = []
  let served = ''
  for (let each = 0; each < 400; each++) {
    served += queue.next()?.item
    const charge = queue.start()
    running.push(() => queue.settle(charge, 50))
    if (running.length === 10) running.shift()?.()
  }
  // It has learned after some dozens; from then on they take turns, ten at a time.
  const later = served.slice(100)
  expect(later.replaceAll('m', '').length / later.length).toBeGreaterThan(0.45)
  expect(later.replaceAll('m', '').length / later.length).toBeLessThan(0.55)
})

test('whoever comes in does not wait for a team to be given back what it was charged too much', () => {
  const queue = queueOf()
  const charges = Array.from({ length: 10 }, () => queue.begin('greedy', 0, 5000))
  for (let each = 0; each < 500; each++) {
    queue.enter('greedy', 0, 5000, 'g')
    queue.enter('modest', 0, 50, 'm')
  }
  serve(queue, 100, 50)
  for (const charge of charges) queue.settle(charge, 50)
  expect(serve(queue, 20, 50)).toBe('g'.repeat(20))
  queue.enter('new', 0, 50, 'N')
  expect(serve(queue, 2, 50)).toContain('N')
})

test('a team that uses more than it asked for pays for it', () => {
  const queue = queueOf()
  for (let each = 0; each < 100; each++) {
    queue.enter('honest', 0, 100, 'h')
    queue.enter('sly', 0, 10, 's')
  }
  let honest = 0
  let sly = 0
  for (let each = 0; each < 100; each++) {
    const team = queue.next()?.item
    if (team === 'h') honest++
    else sly++
    queue.settle(queue.start(), 100)
  }
  expect(Math.abs(honest - sly)).toBeLessThanOrEqual(2)
})

test('what came to nothing is given back, and teaches nothing', () => {
  const queue = queueOf()
  for (let each = 0; each < 10; each++) queue.settle(queue.begin('a', 0, 1000), 0)
  expect(queue.begin('a', 0, 1000).charged).toBe(1000)
})

test('an idle team saves nothing up', () => {
  const queue = queueOf()
  const first = queue.begin('b', 0, 100)
  for (let each = 0; each < 50; each++) queue.enter('a', 0, 100, 'a')
  serve(queue, 40)
  queue.settle(first, 100)
  for (let each = 0; each < 10; each++) queue.enter('b', 0, 100, 'b')
  expect(serve(queue, 10).replaceAll('a', '')).toHaveLength(5)
})

test('what was used while nobody else asked is forgiven when all is quiet', () => {
  const queue = queueOf()
  queue.settle(queue.begin('a', 0, 100_000), 100_000)
  const running = queue.begin('c', 0, 1)
  for (let each = 0; each < 4; each++) {
    queue.enter('a', 0, 100, 'a')
    queue.enter('b', 0, 100, 'b')
  }
  queue.settle(running, 1)
  expect(serve(queue, 4).replaceAll('a', '')).toHaveLength(2)
})

test('a class goes before those behind it, but for one turn in sixteen', () => {
  const queue = queueOf({}, 3)
  for (let each = 0; each < 100; each++) {
    queue.enter('a', 0, 100, '0')
    queue.enter('a', 1, 100, '1')
    queue.enter('a', 2, 100, '2')
  }
  const high = '0'.repeat(PATIENCE)
  expect(serve(queue, 3 * PATIENCE + 4)).toBe(`${high}12${high}12${high}`)
  const alone = queueOf({}, 3)
  for (const level of [2, 1, 0]) alone.enter('a', level, 100, String(level))
  expect(serve(alone, 3)).toBe('012')
})

test('bounds: of a team over all classes, and of all', () => {
  const queue = new FairQueue<string>({ classes: 2, weightOf: () => 1, perTeam: 2, total: 3 })
  queue.enter('a', 0, 1, '')
  queue.enter('a', 1, 1, '')
  expect(queue.enter('a', 0, 1, '')).toBe('team_full')
  queue.enter('b', 0, 1, '')
  expect(queue.enter('b', 0, 1, '')).toBe('full')
  expect(queue.size).toBe(3)
})

test('how many would go first: a team’s own, times how many teams share; never more than wait', () => {
  const queue = queueOf({ a: 3 })
  for (let each = 0; each < 30; each++) queue.enter('a', 0, 1, 'a')
  for (let each = 0; each < 10; each++) queue.enter('b', 0, 1, 'b')
  expect([queue.aheadOf('a'), queue.aheadOf('b'), queue.aheadOf('c')]).toEqual([40, 40, 0])
  queue.enter('c', 0, 1, 'c')
  expect(queue.aheadOf('c')).toBe(5)
})

test('ten thousand teams that wait once are forgotten, and cost little', () => {
  const queue = queueOf()
  const before = process.memoryUsage().heapUsed
  const started = performance.now()
  for (let round = 0; round < 20; round++) {
    for (let each = 0; each < 10_000; each++) queue.enter(`team-${round}-${each}`, 0, 100, 'x')
    serve(queue, 10_000)
  }
  const tookMs = performance.now() - started
  // 200,000 requests through a queue of 10,000 teams: with a search through all of them, this takes minutes.
  expect(tookMs).toBeLessThan(20_000)
  expect((process.memoryUsage().heapUsed - before) / 1024 / 1024).toBeLessThan(100)
})
