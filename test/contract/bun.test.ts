import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'

/** Checks that Bun itself ran, by name, with the fault of each that failed. */
async function onBun(file: string): Promise<Map<string, string | undefined>> {
  const path = fileURLToPath(new URL(file, import.meta.url))
  // Without it, what helps the tests would look for Vitest there.
  const env = { ...process.env, VITEST: undefined }
  const { stdout } = await promisify(execFile)('bun', [path], { timeout: 60_000, env })
  const lines = stdout.trim().split('\n')
  return new Map(lines.map(line => JSON.parse(line) as { name: string; fault?: string }).map(r => [r.name, r.fault]))
}

describe('on Bun', () => {
  for (const [file, least] of [
    ['upstream-bun.main.ts', 24],
    ['transport-bun.main.ts', 28],
    ['tls-bun.main.ts', 30],
    ['upstream-tls-bun.main.ts', 7],
    ['redis-deadline-bun.main.ts', 5],
    ['redis-access-bun.main.ts', 3],
    ['token-registry-bun.main.ts', 12],
  ] as const) {
    test(file, { timeout: 90_000 }, async () => {
      const results = await onBun(file)
      expect(results.size).toBeGreaterThanOrEqual(least)
      expect([...results].filter(([, fault]) => fault !== undefined)).toEqual([])
    })
  }
})
