import { CHECKPOINT_TIMEOUT_MS } from '../../src/config/limits.ts'
import type { CheckpointPlace } from '../../src/ports/checkpoint-place.ts'
import { createRedisClient, type RedisClient } from './client.ts'
import { parseRedisUrl } from './location.ts'

/** Notes kept in a stream, about: one a minute makes ten weeks. */
const MAX_NOTES = 100_000
/** Read at once. */
const PAGE = 1000

/** The stream of a log's checkpoints. */
export function checkpointStream(origin: string): string {
  return `sallyport:checkpoints:${origin}`
}

/** A Redis stream that is added to: `XADD` is all that the gateway's user needs there. */
export function createRedisCheckpointPlace(url: string, origin: string): CheckpointPlace {
  const client = createRedisClient({ url, timeoutMs: CHECKPOINT_TIMEOUT_MS })
  return {
    kind: 'redis',
    name: parseRedisUrl(url).name,
    async append(note) {
      await client.run(redis => redis.xadd(checkpointStream(origin), 'MAXLEN', '~', MAX_NOTES, '*', 'note', note))
    },
    close: () => client.close(),
  }
}

/** All notes of a stream, oldest first. Rejects with `StoreUnavailableError`. */
export async function readRedisCheckpoints(url: string, origin: string): Promise<string[]> {
  const client = createRedisClient({ url, timeoutMs: CHECKPOINT_TIMEOUT_MS })
  try {
    return await readAll(client, checkpointStream(origin))
  } finally {
    await client.close()
  }
}

async function readAll(client: RedisClient, stream: string): Promise<string[]> {
  const notes: string[] = []
  for (let from = '-'; ; ) {
    const page = await client.run(redis => redis.xrange(stream, from, '+', 'COUNT', PAGE))
    for (const [, fields] of page) notes.push(fields[fields.indexOf('note') + 1] ?? '')
    const last = page.at(-1)
    if (last === undefined || page.length < PAGE) return notes
    from = `(${last[0]}`
  }
}
