/**
 * Synchronous digests. WebCrypto's are asynchronous and cost 20 µs a call, so the runtimes' own are bound here.
 * Strings are hashed as UTF-8; results are lower-case hex.
 */
export interface Hashing {
  sha256(data: string | Uint8Array): string
  hmacSha256(key: Uint8Array, data: string | Uint8Array): string
}
