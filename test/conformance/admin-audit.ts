import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Gateway, sallyport, sallyportOutput, startGateway, waitFor } from '../support/index.ts'
import { type Json, message } from './events.ts'
import { chat, PROMPT, type Reply, type Rig, replies, type SendOptions } from './rig.ts'

const CHATS = 90

/** Looking into the log over HTTP, how it stands, and the checklist. */
export function adminAudit(rig: Rig): void {
  let gateway: Gateway
  /** The same gateway, at its admin listener. */
  let front: Gateway

  beforeAll(async () => {
    gateway = await startGateway({
      runtime: rig.runtime,
      config: {
        models: ['m', 'n'].map(id => ({ id, upstreams: [{ url: `${rig.upstream.url}/v1`, kind: 'openai' }] })),
        guard: { input: { secrets: 'block', pii: 'flag' }, output: { pii: 'redact', secrets: 'redact' } },
        audit: {
          file: 'audit/audit.jsonl',
          hmacSecret: '${env:PROMPT_HMAC_SECRET}',
          maxFileSize: '64KiB',
          checkpoint: {
            every: '1s',
            key: 'keys/audit-signing.jwk.json',
            to: [{ kind: 'file', path: 'checkpoints.txt' }],
          },
        },
      },
    })
    front = { ...gateway, url: gateway.adminUrl }
    rig.answers(replies(message({ content: 'ok' })))
    for (let index = 0; index < CHATS; index++) {
      const model = index % 3 === 0 ? 'n' : 'm'
      const content = index % 10 === 0 ? `${PROMPT} write to jane.doe@example.com` : PROMPT
      const reply = await rig.send({ ...chat(content), model }, { gateway, claims: { team: `team-${index % 2}` } })
      expect(reply.status).toBe(200)
    }
  })
  afterAll(() => gateway?.stop())

  const call = (path: string, more: SendOptions = {}) =>
    rig.send(undefined, { method: 'GET', path, gateway: front, claims: { scope: 'audit:read' }, ...more })
  const search = async (query: string): Promise<{ records: Json[]; next?: string }> => {
    const reply = await call(`/admin/audit?${query}`)
    expect([query, reply.status]).toEqual([query, 200])
    return reply.json() as { records: Json[]; next?: string }
  }
  /** Every record that is on disk, of all files, oldest first. */
  const onDisk = () => {
    const folder = join(gateway.dir, 'audit')
    const files = readdirSync(folder).filter(name => name.endsWith('.jsonl'))
    return files
      .flatMap(name => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1))
      .map(line => JSON.parse(line) as Json)
      .sort((a, b) => a['seq'] - b['seq'])
  }
  const seqs = (records: readonly Json[]) => records.map(record => record['seq'] as number)
  const own = async (reply: Reply) => rig.record(reply, gateway)

  describe('the search', () => {
    test('has what the files have, newest first, in pages, whatever was rotated', async () => {
      const all = onDisk().filter(({ outcome, team }) => outcome !== 'begun' && team === 'team-0')
      expect(readdirSync(join(gateway.dir, 'audit')).filter(name => name.endsWith('.jsonl')).length).toBeGreaterThan(1)
      const found: Json[] = []
      let page: { records: Json[]; next?: string } = await search('team=team-0&limit=7')
      for (;;) {
        found.push(...page.records)
        expect(page.records.length).toBeLessThanOrEqual(7)
        if (page.next === undefined) break
        page = await search(`team=team-0&limit=7&after=${page.next}`)
      }
      expect(found).toEqual(all.toReversed())
      expect(found.length).toBe(CHATS / 2)
    })

    test('asks for each of what records have', async () => {
      const all = onDisk().filter(({ action }) => action === undefined)
      const [first, last] = [all[1], all.at(-1)] as [Json, Json]
      const ended = all.filter(({ outcome }) => outcome !== 'begun')
      const expected: Readonly<Record<string, readonly Json[]>> = {
        'team=team-0,team-1': ended,
        'model=n&team=team-1': ended.filter(({ model, team }) => model === 'n' && team === 'team-1'),
        'app=tests&env=test&outcome=begun': all.filter(({ outcome }) => outcome === 'begun'),
        'outcome=served,failed&model=n': ended.filter(({ model }) => model === 'n'),
        'status=2xx&model=m': ended.filter(({ model }) => model === 'm'),
        'finding=*': ended.filter(({ guard }) => guard.length > 0),
        'finding=EMAIL&team=team-0': ended.filter(({ guard }) => guard.length > 0),
        [`requestId=${first['requestId']}`]: ended.filter(({ requestId }) => requestId === first['requestId']),
        [`token=${last['tokenId']}`]: ended.filter(({ tokenId }) => tokenId === last['tokenId']),
        [`promptHmac=${last['promptHmac']}`]: ended.filter(({ promptHmac }) => promptHmac === last['promptHmac']),
        [`since=${last['time']}&model=m,n`]: ended.filter(({ time }) => time >= last['time']),
        [`until=${last['time']}&model=m,n`]: ended.filter(({ time }) => time < last['time']),
        'since=1h&until=0s&model=m,n': ended,
        'until=1h': [],
        'team=nobody': [],
      }
      expect(expected['finding=*']?.length).toBe(CHATS / 10)
      for (const [query, records] of Object.entries(expected)) {
        expect([query, seqs((await search(`${query}&limit=1000`)).records)]).toEqual([query, seqs(records).reverse()])
      }
    })

    test('is what the command finds', async () => {
      const printed = await sallyportOutput(['audit', 'query', '--team', 'team-1', '--finding', 'EMAIL', '--json'], {
        cwd: gateway.dir,
      })
      const { records } = await search('team=team-1&finding=EMAIL')
      expect(seqs(records)).toEqual(
        seqs(printed === '' ? [] : printed.split('\n').map(line => JSON.parse(line) as Json)).reverse(),
      )
      const tail = await sallyportOutput(['audit', 'tail', '-n', '25', '--team', 'team-0', '--json'], {
        cwd: gateway.dir,
      })
      expect(seqs(tail.split('\n').map(line => JSON.parse(line) as Json))).toEqual(
        seqs((await search('team=team-0&limit=25')).records).reverse(),
      )
    })

    test('is itself recorded: by whom, and for what', async () => {
      const reply = await call('/admin/audit?team=team-1,blue&since=2h&finding=*&limit=3', {
        claims: { scope: 'audit:read', team: 'compliance', sub: 'jane' },
      })
      expect(await own(reply)).toMatchObject({
        action: 'audit.search',
        target: 'since=2h team=team-1,blue finding=*',
        team: 'compliance',
        subject: 'jane',
        outcome: 'served',
        status: 200,
      })
      const { records } = await search('action=audit.search&team=compliance')
      expect(records.map(({ target }) => target)).toEqual(['since=2h team=team-1,blue finding=*'])
      expect((await own(await call('/admin/audit'))).target).toBe('everything')
      const until = await call('/admin/audit?until=2026-11-24T10:00:00%2B01:00&after=5-00000000')
      expect(await own(until)).toMatchObject({
        target: 'until=2026-11-24T09:00:00.000Z after=5-00000000',
        outcome: 'refused',
      })
    })

    test('refuses what it does not know, by name, and what could not be recorded whole', async () => {
      for (const [query, code] of [
        ['team=a%20b', 'invalid_value'],
        ['team=a,,b', 'invalid_value'],
        ['outcome=lost', 'invalid_value'],
        ['status=9xx', 'invalid_value'],
        ['since=yesterday', 'invalid_value'],
        ['until=2026-13-01', 'invalid_value'],
        ['promptHmac=abc', 'invalid_value'],
        ['limit=0', 'invalid_value'],
        ['after=x', 'invalid_value'],
        ['after=5', 'invalid_value'],
        ['after=5-00000000', 'invalid_value'],
        ['subject=jane', 'unknown_field'],
      ] as const) {
        const reply = await call(`/admin/audit?${query}`)
        expect([query, reply.status, reply.json()['code'], reply.json()['param']]).toEqual([
          query,
          400,
          code,
          query.split('=')[0],
        ])
      }
      const long = await call(`/admin/audit?team=${'a'.repeat(200)}&app=${'b'.repeat(200)}`)
      expect([long.status, long.json()['code'], long.json()['detail']]).toEqual([
        400,
        'invalid_value',
        expect.stringContaining('too long'),
      ])
    })
  })

  test('the state is that of the chain: its end, and what was signed of it', async () => {
    const { seq, hash } = onDisk().at(-1) as Json
    const reply = await call('/admin/audit/state')
    expect(reply.json()).toMatchObject({ seq, hash, broken: false, lagMs: 0, instance: expect.any(String) })
    expect((await own(reply)).action).toBe('audit.state')
    const place = await waitFor('a checkpoint of it', async () => {
      const [found] = (await call('/admin/audit/state')).json()['checkpoints'] as Json[]
      return found?.['last']?.seq >= seq ? found : undefined
    })
    const { last, ...where } = place as Json
    expect(where).toEqual({ kind: 'file', place: join(gateway.dir, 'checkpoints.txt') })
    expect(onDisk().find(record => record['seq'] === last.seq)).toMatchObject({ hash: last.hash })
    expect(readFileSync(join(gateway.dir, 'checkpoints.txt'), 'utf8')).toContain(`\ntime ${last.time}\n`)
  })

  describe('the checklist', () => {
    test('is that of the command', async () => {
      const reply = await call('/admin/checklist')
      expect(reply.headers.get('content-type')).toContain('application/json')
      const list = reply.json()
      const command = JSON.parse(
        (await sallyport(['checklist', '--json'], { cwd: gateway.dir, runtime: rig.runtime })).stdout,
      ) as Json
      const rows = (from: Json) => (from['rows'] as Json[]).map(({ number, status }) => [number, status])
      expect([rows(list), list['ok'], list['version']]).toEqual([rows(command), command['ok'], command['version']])
      expect(list['deployment']).toBe(join(gateway.dir, 'sallyport.yaml'))
      expect((await own(reply)).action).toBe('checklist.show')
    })

    test('is a page for whoever prefers one, and its policy lets through its own style alone', async () => {
      const page = await call('/admin/checklist?format=html')
      const accepted = await call('/admin/checklist', {
        headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' },
      })
      for (const { status, headers, text } of [page, accepted]) {
        expect([status, headers.get('content-type')]).toEqual([
          200,
          expect.stringMatching(/^text\/html; charset=utf-8$/i),
        ])
        const [, style = ''] = /<style>([^]*?)<\/style>/.exec(text) ?? []
        const hash = createHash('sha256').update(style).digest('base64')
        expect(headers.get('content-security-policy')).toBe(
          `default-src 'none'; frame-ancestors 'none'; style-src 'sha256-${hash}'`,
        )
        expect(text.match(/<tr class=/g)?.length).toBe(25)
      }
      const json = await call('/admin/checklist?format=json', { headers: { accept: 'text/html' } })
      expect(json.json()['rows']).toHaveLength(25)
      const other = await call('/admin/checklist?format=md')
      expect([other.status, other.json()['param']]).toEqual([400, 'format'])
    })

    test('that cannot be made says nothing of why to the caller', async () => {
      mkdirSync(join(gateway.dir, 'checklist'), { recursive: true })
      writeFileSync(join(gateway.dir, 'checklist/attestations.json'), '{')
      const reply = await call('/admin/checklist')
      expect([reply.status, reply.text.includes('attestations')]).toEqual([500, false])
      expect((await own(reply)).reason).toContain('attestations.json')
    })
  })
}
