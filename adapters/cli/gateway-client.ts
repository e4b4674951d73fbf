import { readFileSync } from 'node:fs'
import * as http from 'node:http'
import * as https from 'node:https'
import { reasonOf } from '../node/error-code.ts'
import { CommandFailure } from './failure.ts'

export interface GatewayClientOptions {
  readonly url: URL
  readonly token: string
  /** For one request, its answer included. */
  readonly timeoutMs: number
  readonly maxAnswerBytes: number
  /** Most requests at the same time. */
  readonly connections: number
  /** PEM files: authorities, and the client certificate with its key. */
  readonly ca?: string
  readonly cert?: string
  readonly certKey?: string
}

export interface Answer {
  readonly status: number
  readonly retryAfterMs: number
  /** Null where it is not JSON. */
  readonly body: unknown
}

/** What a command asks of a running gateway. */
export class GatewayClient {
  readonly #options: GatewayClientOptions
  readonly #agent: http.Agent
  readonly #client: typeof http | typeof https

  /** @throws CommandFailure naming a PEM file that cannot be read */
  constructor(options: GatewayClientOptions) {
    const { url, connections, ca, cert, certKey } = options
    this.#options = options
    this.#client = url.protocol === 'https:' ? https : http
    const tls = { ...(ca && { ca: pem(ca) }), ...(cert && { cert: pem(cert) }), ...(certKey && { key: pem(certKey) }) }
    this.#agent = new this.#client.Agent({ keepAlive: true, maxSockets: connections, ...tls })
  }

  /**
   * Asks once. Rejects where no answer comes in time, or too long a one.
   * @param path from the root of the gateway's host on
   * @param leftMs where less time is left than one request may take
   */
  ask(method: string, path: string, body?: object, leftMs = Number.POSITIVE_INFINITY): Promise<Answer> {
    const { url, token, timeoutMs, maxAnswerBytes } = this.#options
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const headers = {
      authorization: `Bearer ${token}`,
      ...(body && { 'content-type': 'application/json' }),
    }
    const signal = AbortSignal.timeout(Math.ceil(Math.min(timeoutMs, leftMs)))
    const options = { method, headers, agent: this.#agent, signal }
    const request = this.#client.request(`${url.origin}${path}`, options, response => {
      const chunks: Buffer[] = []
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > maxAnswerBytes) request.destroy(new Error('the answer is too long'))
        else chunks.push(chunk)
      })
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        const retryAfterMs = Number(response.headers['retry-after'] ?? 1) * 1000
        resolve({ status: response.statusCode ?? 0, retryAfterMs: retryAfterMs || 1000, body: parsed(text) })
      })
    })
    request.on('error', reject)
    request.end(body && JSON.stringify(body))
    return promise
  }

  close(): void {
    this.#agent.destroy()
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function pem(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new CommandFailure(`${path} cannot be read: ${reasonOf(error)}`)
  }
}
