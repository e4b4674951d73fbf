import type { MessagePort } from 'node:worker_threads'

export interface HashTask {
  readonly folder: string
  readonly path: string
  readonly fingerprint: string
}

export type HashReply =
  | { readonly bytes: number }
  | { readonly path: string; readonly sha256: string }
  | { readonly path: string; readonly problem: string }

/**
 * What a thread does: hashes one file after the other. It is run from its own source text, so it uses nothing but what it
 * is given. Reads are synchronous, as there is nothing else for the thread to do.
 */
export function hashInWorker(
  fs: typeof import('node:fs'),
  crypto: typeof import('node:crypto'),
  port: MessagePort,
): void {
  const CHUNK_BYTES = 1024 * 1024
  const PROGRESS_BYTES = 32 * CHUNK_BYTES
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES)

  const fingerprintOf = (file: number): string => {
    const { dev, ino, size, mtimeNs, ctimeNs } = fs.fstatSync(file, { bigint: true })
    return [dev, ino, size, mtimeNs, ctimeNs].join(':')
  }

  const hash = ({ folder, path, fingerprint }: HashTask): HashReply => {
    const changed = { path, problem: 'was changed while it was read' }
    // Neither a link nor a pipe that has taken the file's place is followed or waited for.
    const file = fs.openSync(`${folder}/${path}`, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    try {
      if (fingerprintOf(file) !== fingerprint) return changed
      const digest = crypto.createHash('sha256')
      let unsaid = 0
      for (;;) {
        const bytes = fs.readSync(file, buffer, 0, CHUNK_BYTES, null)
        if (bytes === 0) break
        digest.update(bytes === CHUNK_BYTES ? buffer : buffer.subarray(0, bytes))
        unsaid += bytes
        if (unsaid < PROGRESS_BYTES) continue
        port.postMessage({ bytes: unsaid })
        unsaid = 0
      }
      port.postMessage({ bytes: unsaid })
      return fingerprintOf(file) === fingerprint ? { path, sha256: digest.digest('hex') } : changed
    } finally {
      fs.closeSync(file)
    }
  }

  port.on('message', (task: HashTask) => {
    try {
      port.postMessage(hash(task))
    } catch (error) {
      const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
      port.postMessage({ path: task.path, problem: `cannot be read: ${reason}` })
    }
  })
}
