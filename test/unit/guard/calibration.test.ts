import { expect, test } from 'vitest'
import { ScoreCounts } from '../../../src/guard/calibration.ts'

function counted(scores: readonly number[]): ScoreCounts {
  const counts = new ScoreCounts()
  for (const score of scores) counts.add(score)
  return counts
}

test('the threshold is the least that at most the share reach', () => {
  // 0.001, 0.002 … 1: one text each.
  const counts = counted(Array.from({ length: 1000 }, (_, at) => (at + 1) / 1000))
  const { threshold, atThreshold, atDefault, quantiles, interval, enough } = counts.calibrate(0.01, 0.7)
  expect(threshold).toBe(0.991)
  expect(atThreshold.share).toBe(0.01)
  expect(atDefault.share).toBe(0.301)
  expect(quantiles.find(({ share }) => share === 0.9)?.score).toBe(0.9)
  expect(interval[0]).toBeLessThan(0.991)
  expect(interval[1]).toBeGreaterThan(0.991)
  expect(enough).toBe(true)
})

test("the interval of a share is Wilson's", () => {
  const { atDefault } = counted([
    ...Array.from({ length: 90 }, () => 0.1),
    ...Array.from({ length: 10 }, () => 0.9),
  ]).calibrate(0.1, 0.7)
  expect(atDefault.share).toBe(0.1)
  // By the formula, to four places: 0.0552 and 0.1744.
  expect(atDefault.low).toBeCloseTo(0.0552, 4)
  expect(atDefault.high).toBeCloseTo(0.1744, 4)
})

test('no threshold is given where more texts than the share have the highest score', () => {
  const { threshold, atOne } = counted([1, 1, 0, 0]).calibrate(0.25, 0.7)
  expect(threshold).toBeNull()
  expect(atOne.share).toBe(0.5)
  expect(counted([1, 0, 0, 0]).calibrate(0.25, 0.7).threshold).toBe(0.001)
})

test('few texts are said to be few', () => {
  expect(counted([0.1, 0.2]).calibrate(0.01, 0.7).enough).toBe(false)
})
