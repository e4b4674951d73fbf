import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createTelemetry } from '../../../adapters/node/telemetry.ts'

const lines: Record<string, unknown>[] = []
const write = (line: string): void => {
  lines.push(JSON.parse(line) as Record<string, unknown>)
}

afterEach(() => {
  lines.length = 0
  vi.unstubAllEnvs()
})

describe('logs', () => {
  test('are one flat JSON object a line', () => {
    createTelemetry({ write }).log('warn', 'upstream_unreachable', { upstream: 'http://gpu-1:8080', tries: 2 })
    expect(lines).toEqual([
      {
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        level: 'warn',
        event: 'upstream_unreachable',
        upstream: 'http://gpu-1:8080',
        tries: 2,
      },
    ])
  })

  test('start at the level that LOG_LEVEL names, else at info', () => {
    for (const [value, events] of [
      ['error', ['error']],
      ['WARN', ['warn', 'error']],
      ['nonsense', ['info', 'warn', 'error']],
      ['debug', ['debug', 'info', 'warn', 'error']],
    ] as const) {
      vi.stubEnv('LOG_LEVEL', value)
      const telemetry = createTelemetry({ write })
      for (const level of ['debug', 'info', 'warn', 'error'] as const) telemetry.log(level, level)
      expect(lines.splice(0).map(line => line['event'])).toEqual(events)
    }
  })

  test('mask what is secret by name', () => {
    const fields = { authorization: 'x', apiKey: 'y', token: 'z', prompt: 'hello', tokenId: 'tok_1', inputTokens: 5 }
    createTelemetry({ write }).log('info', 'e', fields)
    expect(lines[0]).toMatchObject({
      authorization: '***',
      apiKey: '***',
      token: '***',
      prompt: '***',
      tokenId: 'tok_1',
      inputTokens: 5,
    })
  })

  test.each([
    ['a token', `got eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl end`, 'got *** end'],
    ['a bearer', 'header Bearer abcdefghijkl end', 'header *** end'],
    ['a provider key', 'key sk-proj-abcdefghijklmnopqrstuvwx end', 'key *** end'],
    ['a user in a URL', 'redis://user:pw@redis:6379/0', 'redis://***@redis:6379/0'],
    ['a key file', '-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY----- end', '*** end'],
  ])('mask %s by shape', (_, text, expected) => {
    createTelemetry({ write }).log('error', 'e', { reason: text })
    expect(lines[0]?.['reason']).toBe(expected)
  })

  test('never throw, and cut endless texts', () => {
    const telemetry = createTelemetry({ write })
    telemetry.log('info', 'e', { n: 1n } as never)
    telemetry.log('info', 'e', { text: 'x'.repeat(10_000) })
    expect(String(lines.at(-1)?.['text']).length).toBeLessThan(2100)
  })

  test.each(['node', 'bun'])('reach standard error on %s, also just before the exit', runtime => {
    const module = resolve(import.meta.dirname, '../../../adapters/node/telemetry.ts')
    const script = `
      import { createTelemetry } from ${JSON.stringify(module)}
      const telemetry = createTelemetry()
      for (let i = 0; i < 1000; i++) telemetry.log('info', 'line', { i })
      setTimeout(() => { telemetry.log('error', 'last'); process.exit(0) }, 100)`
    const args = runtime === 'node' ? ['--input-type=module', '-e', script] : ['-e', script]
    const { stderr, stdout } = spawnSync(runtime, args, { encoding: 'utf8', timeout: 10_000 })
    const events = stderr.trim().split('\n')
    expect(stdout).toBe('')
    expect(events.length).toBe(1001)
    expect(JSON.parse(events[999] ?? '')).toMatchObject({ event: 'line', i: 999 })
    expect(JSON.parse(events[1000] ?? '')).toMatchObject({ event: 'last' })
  })
})
