import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { METRICS } from '../../../src/metrics/table.ts'
import { runProcess } from '../../support/process.ts'

const ROOT = resolve(import.meta.dirname, '../../..')
const read = (path: string) => readFileSync(`${ROOT}/${path}`, 'utf8')

interface Alert {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly runbook: string }
}

const RULES = parse(read('deploy/prometheus/alerts.yaml')) as { groups: { rules: Alert[] }[] }
const ALERTS = RULES.groups.flatMap(({ rules }) => rules)
const DASHBOARD = JSON.parse(read('deploy/grafana/dashboard.json')) as {
  panels: { id: number; title: string; targets: { expr: string }[] }[]
}
const QUERIES = DASHBOARD.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))

/** The metrics that an expression names, with the labels that it names of them. */
function named(expr: string): { metric: string; labels: string[] }[] {
  return [...expr.matchAll(/\b((?:sallyport|gen_ai)_\w+?)(_bucket|_sum|_count)?(?:\{([^}]*)\}|(?=[[)\s=]|$))/g)]
    .filter(([whole]) => whole.includes('{') || !/^gen_ai_(request_model|token_type|operation_name)$/.test(whole))
    .map(([, metric = '', suffix = '', selector = '']) => ({
      metric: metric + (Object.hasOwn(METRICS, metric) ? '' : suffix),
      labels: [...selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
    }))
}

describe.each([
  ['the alerts', ALERTS.map(({ expr }) => expr)],
  ['the dashboard', QUERIES],
])('%s', (_, expressions) => {
  test('name metrics of the table alone, and labels that these have', () => {
    const all = expressions.flatMap(named)
    expect(all.length).toBeGreaterThanOrEqual(expressions.length - 1)
    for (const { metric, labels } of all) {
      expect(Object.keys(METRICS)).toContain(metric)
      const own = Object.keys(METRICS[metric as keyof typeof METRICS].labels)
      expect(labels.filter(label => !['instance', 'job', 'le', ...own].includes(label))).toEqual([])
    }
  })
})

test('every alert has a severity, a summary and a runbook with what it means, where to look and what to do', () => {
  const sections = new Map(
    read('docs/runbooks.md')
      .split(/^### /m)
      .slice(1)
      .map(section => [section.slice(0, section.indexOf('\n')), section]),
  )
  expect([...sections.keys()].sort()).toEqual(ALERTS.map(({ alert }) => alert).sort())
  for (const { alert, labels, annotations } of ALERTS) {
    expect(['info', 'warning', 'critical']).toContain(labels.severity)
    expect(annotations.summary.length).toBeGreaterThan(10)
    expect(annotations.runbook).toBe(`docs/runbooks.md#${alert.toLowerCase()}`)
    expect(sections.get(alert)).toMatch(/\*\*Means\*\*: [\s\S]*\*\*Look at\*\*: [\s\S]*\*\*Do\*\*: /)
  }
})

test('promtool accepts the alerts, and they fire when and for whom they should', async () => {
  const promtool = (...args: string[]) => runProcess('promtool', args, { cwd: `${ROOT}/deploy/prometheus` })
  expect(await promtool('check', 'rules', 'alerts.yaml')).toMatchObject({ code: 0 })
  expect(await promtool('test', 'rules', 'alerts.test.yaml')).toMatchObject({ code: 0 })
})

test('no panel of the dashboard is there twice', () => {
  const ids = DASHBOARD.panels.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.length).toBeGreaterThan(10)
})
