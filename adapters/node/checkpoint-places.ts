import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { CheckpointPlaceConfig } from '../../src/config/config.ts'
import { CHECKPOINT_TIMEOUT_MS } from '../../src/config/limits.ts'
import type { CheckpointPlace } from '../../src/ports/checkpoint-place.ts'
import { withDeadline } from './deadline.ts'
import { reasonOf } from './error-code.ts'

/** The place that the configuration names. `origin` tells logs apart that share one. */
export async function openCheckpointPlace(config: CheckpointPlaceConfig, origin: string): Promise<CheckpointPlace> {
  switch (config.kind) {
    case 'file':
      return filePlace(config.path)
    case 'http':
      return httpPlace(config.url, config.token)
    case 'redis': {
      const { createRedisCheckpointPlace } = await import('../redis/checkpoint-place.ts')
      return createRedisCheckpointPlace(config.url, origin)
    }
  }
}

/** A file that is appended to: opened each time, so that it may be moved, and its folder come later. */
function filePlace(path: string): CheckpointPlace {
  async function write(note: string): Promise<void> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await using file = await open(path, 'a', 0o600)
    await file.appendFile(`${note}\n`)
    await file.sync()
  }
  return {
    kind: 'file',
    name: path,
    async append(note) {
      try {
        await withDeadline(write(note), CHECKPOINT_TIMEOUT_MS, 'the disk does not answer')
      } catch (error) {
        throw new Error(reasonOf(error))
      }
    },
    close: async () => undefined,
  }
}

/** A service that takes each note as the body of a POST. */
function httpPlace(url: string, token: string | undefined): CheckpointPlace {
  const { origin, pathname } = new URL(url)
  const headers = {
    'content-type': 'text/plain; charset=utf-8',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  }
  return {
    kind: 'http',
    name: origin + pathname,
    async append(note, signal) {
      let status: number
      try {
        const answer = await fetch(url, { method: 'POST', headers, body: note, redirect: 'error', signal })
        status = answer.status
        await answer.body?.cancel()
      } catch (error) {
        if (signal.aborted) throw new Error('it did not answer in time')
        // Bun says it with the error itself.
        const cause = error instanceof Error ? (error.cause ?? error) : error
        throw new Error(`it cannot be reached: ${reasonOf(cause)}`)
      }
      if (status < 200 || status > 299) throw new Error(`it answered ${status}`)
    },
    close: async () => undefined,
  }
}
