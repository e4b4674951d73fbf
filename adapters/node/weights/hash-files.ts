import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { type HashReply, type HashTask, hashInWorker } from './hash-worker.ts'
import type { WalkedFile } from './walk.ts'

const MAX_WORKERS = 32

export interface Hashed {
  readonly path: string
  /** Lower-case hex; undefined where it could not be had. */
  readonly sha256?: string
  /** One phrase, where it could not be had: "was changed while it was read". */
  readonly problem?: string
}

export interface HashOptions {
  /** The threads; absent: as many as there are processors. */
  readonly workers?: number
  /** Called with the bytes read since the last call. */
  readonly progress?: (bytes: number) => void
}

/**
 * SHA-256 of files, several at a time, each on a thread of its own: one file goes no faster than one processor hashes.
 * The largest come first, so that no large one is left to be read alone at the end.
 */
export async function hashFiles(
  folder: string,
  files: readonly WalkedFile[],
  { workers = availableParallelism(), progress = () => {} }: HashOptions = {},
): Promise<Hashed[]> {
  const waiting = [...files].sort((a, b) => b.size - a.size)
  const done: Hashed[] = []
  const threads = Math.max(1, Math.min(workers, MAX_WORKERS, files.length))
  if (files.length > 0) {
    await Promise.all(Array.from({ length: threads }, () => runWorker(folder, waiting, done, progress)))
  }
  return done
}

/** One thread, which takes files off the list until there are none. Rejects when the thread fails. */
async function runWorker(
  folder: string,
  waiting: WalkedFile[],
  done: Hashed[],
  progress: (bytes: number) => void,
): Promise<void> {
  // From its source, for the bundle is one file, and the thread needs none of the rest.
  const source = `(${hashInWorker.toString()})(require('node:fs'), require('node:crypto'), require('node:worker_threads').parentPort)`
  const worker = new Worker(source, { eval: true })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const next = () => {
    const file = waiting.shift()
    if (!file) return resolve()
    worker.postMessage({ folder, path: file.path, fingerprint: file.fingerprint } satisfies HashTask)
  }
  worker.on('message', (reply: HashReply) => {
    if ('bytes' in reply) return progress(reply.bytes)
    done.push(reply)
    next()
  })
  worker.on('error', reject)
  worker.on('exit', code => reject(new Error(`a thread that hashes ended with ${code}`)))
  next()
  try {
    await promise
  } finally {
    await worker.terminate()
  }
}
