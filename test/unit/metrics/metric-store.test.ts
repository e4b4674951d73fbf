import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { MetricStore } from '../../../src/metrics/metric-store.ts'
import { METRICS, type MetricName } from '../../../src/metrics/table.ts'
import { metricsText, seriesOf, seriesOfAll } from '../../../src/metrics/text.ts'

const textOf = (store: MetricStore) => metricsText(seriesOfAll(store.families()))
const lineOf = (store: MetricStore, series: string) =>
  textOf(store)
    .split('\n')
    .find(line => line.startsWith(`${series} `))

describe('what is counted', () => {
  test('adds up by metric and labels, in whatever order these come', () => {
    const store = new MetricStore()
    store.add('sallyport_upstream_changes_total', { upstream: 'q"\\\n', change: 'up' }, 1)
    store.add('sallyport_upstream_changes_total', { change: 'up', upstream: 'q"\\\n' }, 2)
    expect(lineOf(store, 'sallyport_upstream_changes_total{change="up",upstream="q\\"\\\\\\n"}')).toMatch(/ 3$/)
  })

  test('frozen labels are kept apart by metric', () => {
    const store = new MetricStore()
    const labels = Object.freeze({ team: 'red' })
    for (let round = 0; round < 3; round++) {
      store.add('sallyport_queue_depth', labels, 1)
      store.add('sallyport_queue_ahead_total', labels, 5)
    }
    expect(lineOf(store, 'sallyport_queue_depth{team="red"}')).toMatch(/ 3$/)
    expect(lineOf(store, 'sallyport_queue_ahead_total{team="red"}')).toMatch(/ 15$/)
  })

  test('stops growing when labels are not bounded, and goes on with those it has', () => {
    const store = new MetricStore()
    for (let i = 0; i < 20_000; i++) store.add('sallyport_queue_ahead_total', { team: String(i) }, 1)
    store.add('sallyport_queue_ahead_total', { team: '0' }, 1)
    expect(textOf(store).match(/^sallyport_queue_ahead_total\{/gm)?.length).toBeLessThan(10_000)
    expect(lineOf(store, 'sallyport_queue_ahead_total{team="0"}')).toMatch(/ 2$/)
  })

  test('a label without a value is left out', () => {
    expect(seriesOf('m', { a: '', b: '1' })).toBe('m{b="1"}')
  })
})

describe('histograms', () => {
  test('are cumulative; a bound belongs to its bucket', () => {
    const store = new MetricStore()
    const labels = { gen_ai_operation_name: 'chat', gen_ai_request_model: 'm', error_type: '' }
    for (const seconds of [0.01, 0.0101, 500]) {
      store.observe('gen_ai_server_request_duration_seconds', labels, seconds)
    }
    const bucket = (le: string) =>
      lineOf(
        store,
        `gen_ai_server_request_duration_seconds_bucket{gen_ai_operation_name="chat",gen_ai_request_model="m",le="${le}"}`,
      )
    expect(bucket('0.01')).toMatch(/ 1$/)
    expect(bucket('0.02')).toMatch(/ 2$/)
    expect(bucket('81.92')).toMatch(/ 2$/)
    expect(bucket('+Inf')).toMatch(/ 3$/)
    const rest = '{gen_ai_operation_name="chat",gen_ai_request_model="m"}'
    expect(lineOf(store, `gen_ai_server_request_duration_seconds_count${rest}`)).toMatch(/ 3$/)
    expect(lineOf(store, `gen_ai_server_request_duration_seconds_sum${rest}`)).toMatch(/ 500\.02/)
  })

  test('are there from the start where their labels are known', () => {
    expect(lineOf(new MetricStore(), 'sallyport_audit_commit_seconds_count')).toMatch(/ 0$/)
  })
})

test('counters whose labels have fixed words begin at 0, so that their first increase is one', () => {
  const store = new MetricStore()
  expect(lineOf(store, 'sallyport_audit_records_total{result="failed"}')).toMatch(/ 0$/)
  expect(lineOf(store, 'sallyport_connections_refused_total')).toMatch(/ 0$/)
  expect(textOf(store)).not.toContain('sallyport_queue_depth{')
})

test('promtool finds nothing to say about any metric of the table', () => {
  const store = new MetricStore()
  for (const [name, { type, labels }] of Object.entries(METRICS)) {
    const some = Object.fromEntries(
      Object.entries(labels).map(([label, words]) => [label, typeof words === 'string' ? 'some' : String(words[0])]),
    )
    if (type === 'histogram') store.observe(name as MetricName, some, 1)
    else store.add(name as MetricName, some, 1)
  }
  const text = textOf(store)
  for (const [name, { type }] of Object.entries(METRICS)) expect(text).toContain(`# TYPE ${name} ${type}\n`)
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' })
})
