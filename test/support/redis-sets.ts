import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis as Connection } from 'ioredis'
import { freePort } from './ports.ts'
import { type RunningProcess, startProcess } from './process.ts'
import { type Redis, startRedis } from './redis.ts'
import { tempDir } from './temp-dir.ts'
import { testCa } from './test-ca.ts'
import { waitFor } from './wait.ts'

/** Several real Redis servers that are one store. */
export interface RedisSet extends AsyncDisposable {
  readonly url: string
  readonly servers: readonly Redis[]
  /** Throws away all that is stored. */
  empty(): Promise<void>
  stop(): Promise<void>
}

const SLOTS = 16_384
const CLUSTER_SIZE = 3

/** What `docs/storage-schema.md` says a user must be allowed to do, and nothing else. */
const LEAST_RIGHTS =
  '~sallyport:1:* ~sallyport:2:* &sallyport:1:* -@all +evalsha +eval +ping +info +time +get +mget +set +del +pexpire +pttl +hget +hset +hmget +hdel +hlen +hexists +hsetnx +hincrby +zadd +zrem +zcount +zscore +zrangebyscore +zremrangebyscore +multi +exec +incrby +expire +subscribe +unsubscribe +publish'
const CLUSTER_RIGHTS = '+cluster|slots +cluster|info'
const PASSWORD = 'open-sesame'

const grant = (admin: Connection, rights: string) =>
  admin.call('ACL', 'SETUSER', 'gateway', 'on', `>${PASSWORD}`, ...rights.split(' '))

export async function startOne(): Promise<RedisSet> {
  const server = await startRedis()
  return setOf(server.url, [server])
}

/** A cluster of three primaries with an equal part of the slots each, and the user on all of them. */
export async function startCluster(): Promise<RedisSet> {
  const servers: Redis[] = []
  const buses: number[] = []
  for (let at = 0; at < CLUSTER_SIZE; at++) {
    // The node's own port would be 10000 higher: there, outgoing connections may have taken it.
    const bus = await freePort()
    buses.push(bus)
    const settings = { enabled: 'yes', 'node-timeout': '2000', port: `${bus}` }
    const args = Object.entries(settings).flatMap(([name, value]) => [`--cluster-${name}`, value])
    servers.push(await startRedis({ args }))
  }
  const admins = servers.map(({ url }) => new Connection(url))
  for (const [at, admin] of admins.entries()) {
    const [from, to] = [Math.ceil((SLOTS * at) / CLUSTER_SIZE), Math.ceil((SLOTS * (at + 1)) / CLUSTER_SIZE) - 1]
    await grant(admin, `${LEAST_RIGHTS} ${CLUSTER_RIGHTS}`)
    await admin.call('CLUSTER', 'ADDSLOTSRANGE', from, to)
    if (at > 0) await admins[0]?.call('CLUSTER', 'MEET', '127.0.0.1', servers[at]?.port ?? 0, buses[at] ?? 0)
  }
  await waitFor('the cluster is formed', async () => {
    const infos = await Promise.all(admins.map(admin => admin.call('CLUSTER', 'INFO')))
    return infos.every(
      info => String(info).includes('cluster_state:ok') && String(info).includes(`cluster_known_nodes:${CLUSTER_SIZE}`),
    )
  })
  for (const admin of admins) admin.disconnect()
  const hosts = servers.map(({ port }) => `127.0.0.1:${port}`).join(',')
  return setOf(`redis+cluster://gateway:${PASSWORD}@${hosts}`, servers)
}

export interface SentinelSet extends RedisSet {
  /** Kills the primary and waits until the sentinels have made a replica the primary. */
  killPrimary(): Promise<void>
}

/** A primary, a replica that has caught up, and three sentinels that call it dead after half a second. */
export async function startSentinels(): Promise<SentinelSet> {
  const primary = await startRedis()
  const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', `${primary.port}`] })
  await using watcher = connected(primary.url)
  await waitFor('the replica has caught up', async () => (await watcher.redis.info('replication')).includes('online'))
  const ports: number[] = []
  const sentinels: RunningProcess[] = []
  for (let at = 0; at < 3; at++) {
    const port = await freePort()
    const file = join(tempDir(), 'sentinel.conf')
    const settings = [
      `port ${port}`,
      'bind 127.0.0.1',
      `sentinel monitor main 127.0.0.1 ${primary.port} 2`,
      'sentinel down-after-milliseconds main 500',
      'sentinel failover-timeout main 3000',
    ]
    writeFileSync(file, settings.join('\n'))
    ports.push(port)
    sentinels.push(await startProcess('redis-server', [file, '--sentinel'], { ready: /\+monitor/ }))
  }
  await using sentinel = connected(`redis://127.0.0.1:${ports[0]}`)
  await waitFor(
    'the sentinels know each other and the replica',
    async () => {
      const state = (await sentinel.redis.call('SENTINEL', 'MASTER', 'main')) as string[]
      const of = (name: string) => state[state.indexOf(name) + 1]
      return of('num-other-sentinels') === '2' && of('num-slaves') === '1'
    },
    15_000,
  )
  const set = setOf(`redis+sentinel://${ports.map(port => `127.0.0.1:${port}`).join(',')}/main`, [primary, replica])
  return {
    ...set,
    async killPrimary() {
      await primary.stop()
      await using next = connected(replica.url)
      const isPrimary = async () => (await next.redis.info('replication')).includes('role:master')
      await waitFor('the replica is the primary', isPrimary, 15_000)
    },
    async stop() {
      await Promise.all(sentinels.map(each => each.stop()))
      await set.stop()
    },
  }
}

/** A Redis with TLS (and a plain port for the test itself) that asks for a client certificate, and a user that may do nothing but what is needed. */
export async function startSecure(): Promise<RedisSet> {
  const ca = testCa(tempDir())
  const own = ca.issue('redis')
  const client = ca.issue('gateway')
  const port = await freePort()
  const server = await startRedis({
    port: await freePort(),
    args: ['--tls-port', `${port}`, '--tls-cert-file', own.cert, '--tls-key-file', own.key].concat([
      '--tls-ca-cert-file',
      ca.cert,
      '--tls-auth-clients',
      'yes',
    ]),
  })
  await using admin = connected(server.url)
  await grant(admin.redis, LEAST_RIGHTS)
  const files = `ca=${ca.cert}&cert=${client.cert}&key=${client.key}`
  return setOf(`rediss://gateway:${PASSWORD}@127.0.0.1:${port}/0?${files}`, [server])
}

function setOf(url: string, servers: readonly Redis[]): RedisSet {
  const stop = async () => void (await Promise.all(servers.map(server => server.stop())))
  return {
    url,
    servers,
    async empty() {
      for (const { url } of servers) {
        await using admin = connected(url)
        await admin.redis.flushall().catch(() => undefined) // a replica does as its primary
      }
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function connected(url: string): AsyncDisposable & { readonly redis: Connection } {
  const redis = new Connection(url, { retryStrategy: () => 20 })
  redis.on('error', () => undefined)
  return { redis, [Symbol.asyncDispose]: async () => redis.disconnect() }
}
