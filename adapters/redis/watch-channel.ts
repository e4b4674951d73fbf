import { Cluster, type Redis } from 'ioredis'
import type { Telemetry } from '../../src/ports/telemetry.ts'

/**
 * Calls back for every message on a channel, and whenever the connection is new: what was said in between is lost. Takes a
 * connection of its own, since one that listens can do nothing else; it is made again for ever. Returns what ends that.
 */
export function watchChannel(
  redis: Redis | Cluster,
  channel: string,
  changed: () => void,
  telemetry: Telemetry | undefined,
): () => void {
  // What the library subscribes to again by itself, it does unheard: a refusal of that would end the process.
  const options = { autoResubscribe: false }
  const listener = redis instanceof Cluster ? redis.duplicate([], { redisOptions: options }) : redis.duplicate(options)
  listener.on('ready', () => {
    listener.subscribe(channel).then(changed, () => telemetry?.log('warn', 'redis_subscribe_failed', { channel }))
  })
  listener.on('message', changed)
  // The connection that the commands take says what there is to say.
  listener.on('error', () => undefined)
  return () => listener.disconnect()
}
