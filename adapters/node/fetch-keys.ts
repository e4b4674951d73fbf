import type { IncomingMessage } from 'node:http'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { getCACertificates } from 'node:tls'
import type { FetchImplementation } from 'jose'
import { MAX_JWKS_BYTES } from '../../src/config/limits.ts'
import { reasonOf } from './error-code.ts'

/**
 * How jose's remote set fetches: one connection a request, no redirects, no compression, an answer of at most
 * `MAX_JWKS_BYTES`. Over `node:https`, since the fetch of neither runtime takes authorities the same way; `ca` (PEM) is
 * beside those of the platform.
 */
export function createFetchKeys(ca?: string): FetchImplementation {
  // Said aloud, so that NODE_TLS_REJECT_UNAUTHORIZED in the environment changes nothing.
  const trust = { rejectUnauthorized: true, ...(ca !== undefined && { ca: [...getCACertificates('default'), ca] }) }
  return function fetchKeys(url, { headers, signal }) {
    return new Promise((resolve, reject) => {
      const send = url.startsWith('https:') ? requestHttps : requestHttp
      const request = send(url, { headers: Object.fromEntries(headers), agent: false, ...trust })
      const fail = (reason: unknown) => {
        signal.removeEventListener('abort', abort)
        request.destroy()
        reject(reason instanceof Error ? reason : new Error('the request failed'))
      }
      const abort = () => fail(new Error('the server did not answer in time'))
      signal.addEventListener('abort', abort, { once: true })
      if (signal.aborted) abort()
      request.on('error', error => fail(new Error(`the server cannot be reached: ${reasonOf(error)}`)))
      request.on('response', response => {
        readAnswer(response, fail, body => {
          signal.removeEventListener('abort', abort)
          resolve(new Response(body, { status: 200 }))
        })
      })
      request.end()
    })
  }
}

function readAnswer(
  response: IncomingMessage,
  fail: (reason: Error) => void,
  done: (body: Buffer<ArrayBuffer>) => void,
) {
  if (response.statusCode !== 200) return fail(new Error(`the server answered ${response.statusCode}, not 200`))
  const chunks: Buffer[] = []
  let size = 0
  response.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > MAX_JWKS_BYTES) fail(new Error(`the answer has more than ${MAX_JWKS_BYTES} bytes`))
    else chunks.push(chunk)
  })
  response.on('error', error => fail(new Error(`the answer broke off: ${reasonOf(error)}`)))
  response.on('end', () => done(Buffer.concat(chunks)))
}
