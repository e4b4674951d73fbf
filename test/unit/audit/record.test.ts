import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { nodeHashing } from '../../../adapters/node/hashing.ts'
import { canonicalJson, type JsonValue } from '../../../src/audit/canonical-json.ts'
import { readRecord } from '../../../src/audit/chain.ts'
import { type AuditEntry, buildRecord, GENESIS, MAX_LINE } from '../../../src/audit/record.ts'
import { sampleEntry } from './sample.ts'

const LINK = { seq: 1, instance: 'test', prev: GENESIS }
const build = (over: Partial<AuditEntry> = {}) => buildRecord(nodeHashing, sampleEntry(over), LINK)

/** As somebody would check a record who has only the documentation: parse, drop the hash, canonicalise, digest. */
function independentHash(line: string): string {
  const { hash: _, ...rest } = JSON.parse(line) as Record<string, JsonValue>
  return createHash('sha256').update(canonicalJson(rest), 'utf8').digest('hex')
}

describe('an audit record', () => {
  it('holds every field of the contract, under its name', () => {
    const record = JSON.parse(build({ errorCode: 'upstream_failed', reason: 'refused' }).line) as Record<
      string,
      unknown
    >
    const contract =
      'seq, time, requestId, instance, tokenId, subject, team, app, env, clientCert, method, route, model, upstream, status, outcome, errorCode, inputTokens, outputTokens, tokenSource, latencyMs, firstByteMs, queueMs, stream, promptHmac, hmacKeyId, guard, outputSnippet, prev, hash'
    expect(Object.keys(record).sort()).toEqual([...contract.split(', '), 'reason'].sort())
    expect(record).toMatchObject({ seq: 1, time: '2026-11-23T10:30:00.007Z', prev: GENESIS, latencyMs: 1843.272 })
  })

  it('is canonical JSON, and its hash is that of the canonical JSON without it', () => {
    const { line, hash } = build()
    expect(line).toBe(canonicalJson(JSON.parse(line) as JsonValue))
    expect(hash).toBe(independentHash(line))
    expect(JSON.parse(line)).toMatchObject({ hash })
  })

  it('tells the time as ISO 8601 does, whatever was told before', () => {
    const second = Date.UTC(2026, 10, 23, 10, 30)
    const times = [second, second + 999, second + 1000, second + 7, 0, -1, -1000, second + 0.5, 253_402_300_800_000]
    for (const time of [...times, ...times]) {
      expect(JSON.parse(build({ time }).line)).toMatchObject({ time: new Date(time).toISOString() })
    }
  })

  it('leaves out what is unknown', () => {
    const { line } = buildRecord(
      nodeHashing,
      {
        time: 0,
        requestId: 'r',
        method: 'POST',
        route: '/v1/embeddings',
        status: 401,
        outcome: 'refused',
        errorCode: 'invalid_token',
        latencyMs: 1,
        stream: false,
        guard: [],
      },
      LINK,
    )
    expect(Object.keys(JSON.parse(line) as object)).toEqual(
      'errorCode guard hash instance latencyMs method outcome prev requestId route seq status stream time'.split(' '),
    )
    expect(independentHash(line)).toBe((JSON.parse(line) as { hash: string }).hash)
  })

  it('writes findings in canonical order whatever the order of their keys, and no more of them than is named', () => {
    const finding = { text: 'secret@example.org', rule: 'EMAIL', stage: 'input', count: 2, action: 'flag' } as const
    expect(build({ guard: [finding] }).line).toContain(
      '"guard":[{"action":"flag","count":2,"rule":"EMAIL","stage":"input"}]',
    )
  })

  it('mends lone surrogates, which canonical JSON cannot carry', () => {
    const { line } = build({ model: 'a\ud800b', outputSnippet: 'half \ud83d', app: '\udc00' })
    expect(line).toContain('"model":"a\ufffdb"')
    expect(line).toContain('"app":"\ufffd"')
    expect(line).not.toContain('\\ud')
    expect(build({ app: '\udc00' }).line).toContain('"app":"\ufffd"')
    expect(build({ team: '\udc00' }).line).toContain('"team":"\ufffd"')
    expect(readRecord(nodeHashing, line)).toMatchObject({ ok: true })
  })

  it('keeps text that only looks like an escape or like the hash', () => {
    const snippet = 'C:\\udev ,"hash":"x" \n\u0001'
    const { line } = build({ outputSnippet: snippet })
    expect(JSON.parse(line)).toMatchObject({ outputSnippet: snippet })
    expect(line).not.toContain('\n')
    expect(readRecord(nodeHashing, line)).toMatchObject({ ok: true })
  })

  it('cuts what a caller made endless', () => {
    const { line } = build({ model: 'm'.repeat(5_000_000) })
    expect(line.length).toBeLessThan(MAX_LINE / 100)
    expect(JSON.parse(line)).toMatchObject({ model: 'm'.repeat(256) })
    expect(readRecord(nodeHashing, line)).toMatchObject({ ok: true })
  })
})

describe('canonical JSON', () => {
  it('is the example of RFC 8785, section 3.2.2', () => {
    const value = JSON.parse(
      '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
    ) as JsonValue
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    )
  })

  it('sorts keys by UTF-16 units, as section 3.2.3 does', () => {
    const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 }
    expect(canonicalJson(value)).toBe('{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}')
  })
})
