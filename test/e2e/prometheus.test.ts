import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { chat } from '../fault/support/caller.ts'
import { answerWell } from '../fault/support/model.ts'
import {
  freePort,
  scriptedUpstream,
  startGateway,
  startProcess,
  startRedis,
  tempDir,
  waitFor,
} from '../support/index.ts'

const ALERTS = readFileSync(resolve(import.meta.dirname, '../../deploy/prometheus/alerts.yaml'), 'utf8')
const DASHBOARD = JSON.parse(
  readFileSync(resolve(import.meta.dirname, '../../deploy/grafana/dashboard.json'), 'utf8'),
) as { panels: { title: string; targets: { expr: string }[] }[] }

/** What alerts look at, and wait for, in a test's time. */
const WINDOW = '20s'

/** Panels that one request fills. */
const SHOWN = /^(Requests|Usable model servers|Redis round trip|Commits of the audit log|Time to first token)$/

interface Rule {
  readonly name: string
  readonly health: string
  readonly lastError?: string
  readonly evaluationTime: number
  readonly lastEvaluation: string
  readonly alerts: { readonly state: string; readonly labels: Record<string, string> }[]
}

test('Prometheus reads a real gateway: every alert can be evaluated, and those of staged faults fire', {
  timeout: 150_000,
}, async () => {
  const dir = tempDir()
  await using redis = await startRedis()
  const server = () =>
    scriptedUpstream(script => (script.request.method === 'GET' ? script.reply(200, {}) : answerWell(script)))
  const servers = [await server(), await server()]
  await using gateway = await startGateway({
    config: {
      state: redis.url,
      models: [
        {
          id: 'm',
          upstreams: servers.map(({ url }) => ({
            url: `${url}/v1`,
            kind: 'vllm',
            health: { every: '200ms' },
          })),
        },
      ],
      quotas: [{ name: 'team-minute', per: ['team'], tokens: '10M', window: '1m' }],
    },
  })
  const rules = ALERTS.replaceAll(/\[\d+[mhd]\]/g, `[${WINDOW}]`).replaceAll(/^ *for: .*\n/gm, '')
  expect(rules).not.toMatch(/\[\d+m\]|for:/)
  writeFileSync(join(dir, 'alerts.yaml'), rules)
  writeFileSync(
    join(dir, 'prometheus.yaml'),
    stringify({
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      scrape_configs: [{ job_name: 'sallyport', static_configs: [{ targets: [new URL(gateway.adminUrl).host] }] }],
      rule_files: ['alerts.yaml'],
    }),
  )
  const address = `127.0.0.1:${await freePort()}`
  await using prometheus = await startProcess(
    'prometheus',
    [`--config.file=${dir}/prometheus.yaml`, `--storage.tsdb.path=${dir}/data`, `--web.listen-address=${address}`],
    {
      cwd: dir,
      ready: () =>
        fetch(`http://${address}/-/ready`).then(
          ({ ok }) => ok,
          () => false,
        ),
      deadlineMs: 30_000,
    },
  )
  const api = async <T>(path: string): Promise<T> => {
    const answer = await fetch(`http://${address}/api/v1/${path}`)
    const body = (await answer.json()) as { status: string; data: T; error?: string }
    expect(body).toMatchObject({ status: 'success' })
    return body.data
  }
  const query = (expr: string) => api<{ result: unknown[] }>(`query?query=${encodeURIComponent(expr)}`)
  const allRules = async () => (await api<{ groups: { rules: Rule[] }[] }>('rules')).groups.flatMap(each => each.rules)
  const firing = async () =>
    (await allRules()).filter(({ alerts }) => alerts.some(({ state }) => state === 'firing')).map(({ name }) => name)
  const fires = (name: string) =>
    waitFor(`${name} fires`, async () => (await firing()).includes(name), 40_000).catch((error: unknown) => {
      throw new Error(`${prometheus.output().slice(-2000)}\n${gateway.output().slice(-2000)}`, { cause: error })
    })

  const token = await gateway.mint()
  const ask = async () => (await chat(gateway, { token }).answer).status
  expect(await ask()).toBe(200)
  await waitFor(
    'Prometheus has read the request',
    async () => {
      const { result } = await query('gen_ai_server_request_duration_seconds_count > 0')
      return result.length === 1
    },
    30_000,
  )

  // Every rule has been evaluated, without an error, and a gateway that is well is left alone.
  const evaluated = await waitFor(
    'all rules are evaluated',
    async () => {
      const all = await allRules()
      return all.every(({ health }) => health !== 'unknown') ? all : undefined
    },
    30_000,
  )
  expect(evaluated.length).toBeGreaterThan(20)
  expect(evaluated.filter(({ health, lastError }) => health !== 'ok' || lastError)).toEqual([])
  expect(await firing()).toEqual([])

  // Every query of the dashboard is one, and what a request leaves behind is shown.
  for (const { title, targets } of DASHBOARD.panels) {
    for (const { expr } of targets) {
      const ask = async () =>
        (await query(expr.replaceAll('$__rate_interval', WINDOW).replaceAll('$instance', '.*'))).result.length
      if (SHOWN.test(title)) await waitFor(`the panel ${title} shows something`, ask, 30_000)
      else await ask()
    }
  }

  for (const server of servers) await server.stop()
  await fires('SallyportUpstreamDown')
  await fires('SallyportModelDown')
  const asking = setInterval(() => void ask(), 300)
  try {
    await fires('SallyportFailures')
    await redis.stop()
    await fires('SallyportStoreFailing')
    renameSync(join(gateway.dir, 'audit/audit.jsonl'), join(gateway.dir, 'audit/moved.jsonl'))
    await fires('SallyportAuditRecordsLost')
  } finally {
    clearInterval(asking)
  }
  await gateway.stop('SIGKILL')
  await fires('SallyportDown')
})
