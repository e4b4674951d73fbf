import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { nodeHashing } from '../../../adapters/node/hashing.ts'
import { hmacKey, hmacKeyId, promptHmac } from '../../../src/audit/hmac.ts'

const SECRET = 'correct horse battery staple'

function keyOf(secret: string): Uint8Array {
  const key = hmacKey(secret)
  if (!key.ok) throw new Error(key.reason)
  return key.key
}

describe('the prompt HMAC', () => {
  it('is HMAC-SHA-256 of the canonical JSON of the prompt', () => {
    const prompt = [{ role: 'user', content: 'Grüß Gott' }]
    expect(promptHmac(nodeHashing, keyOf(SECRET), prompt)).toBe(
      createHmac('sha256', SECRET).update('[{"content":"Grüß Gott","role":"user"}]').digest('hex'),
    )
  })

  it('does not depend on the order of keys, but on everything else', () => {
    const hmac = (prompt: Parameters<typeof promptHmac>[2]) => promptHmac(nodeHashing, keyOf(SECRET), prompt)
    expect(hmac({ a: 1, b: 2 })).toBe(hmac({ b: 2, a: 1 }))
    expect(new Set([hmac('ab'), hmac(['ab']), hmac(['a', 'b']), hmac('"ab"'), hmac('["ab"]'), hmac(null)]).size).toBe(6)
    expect(promptHmac(nodeHashing, keyOf(`${SECRET}!`), 'ab')).not.toBe(hmac('ab'))
  })

  it('takes 16 bytes for a secret and refuses 15, counting bytes and not characters', () => {
    expect(hmacKey('x'.repeat(16))).toMatchObject({ ok: true })
    expect(hmacKey('ü'.repeat(8))).toMatchObject({ ok: true })
    expect(hmacKey(new Uint8Array(16))).toMatchObject({ ok: true })
    expect(hmacKey('')).toMatchObject({ ok: false, bytes: 0 })
    const refused = hmacKey('s3cret-s3cret-1')
    expect(refused).toMatchObject({ ok: false, bytes: 15 })
    expect(JSON.stringify(refused)).not.toContain('s3cret')
  })

  it('copies the key, so that the caller may wipe its own', () => {
    const secret = new Uint8Array(32).fill(7)
    const key = hmacKey(secret)
    secret.fill(0)
    expect(key.ok && key.key).toEqual(new Uint8Array(32).fill(7))
  })
})

describe('the key id', () => {
  it('is stable, short, tells keys apart, and is no plain hash of the key', () => {
    const id = hmacKeyId(nodeHashing, keyOf(SECRET))
    expect(id).toMatch(/^[0-9a-f]{16}$/)
    expect(hmacKeyId(nodeHashing, keyOf(SECRET))).toBe(id)
    expect(hmacKeyId(nodeHashing, keyOf(`${SECRET}!`))).not.toBe(id)
    expect(nodeHashing.sha256(SECRET).startsWith(id)).toBe(false)
    expect(nodeHashing.hmacSha256(keyOf(SECRET), '').startsWith(id)).toBe(false)
  })
})
