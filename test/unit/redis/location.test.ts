import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseRedisUrl } from '../../../adapters/redis/location.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { testCa } from '../../support/test-ca.ts'

describe('Redis URLs', () => {
  test('a single server', () => {
    expect(parseRedisUrl('redis://127.0.0.1:6380/3')).toEqual({
      kind: 'single',
      name: 'redis://127.0.0.1:6380/3',
      options: { host: '127.0.0.1', port: 6380, db: 3 },
    })
    expect(parseRedisUrl('redis://localhost')).toMatchObject({ options: { host: 'localhost', port: 6379, db: 0 } })
    expect(parseRedisUrl('redis://[::1]:7000')).toMatchObject({ options: { host: '::1', port: 7000 } })
  })

  test('with TLS and credentials, which the name leaves out', () => {
    expect(parseRedisUrl('rediss://gate:s%40sh:x@cache.internal/1')).toEqual({
      kind: 'single',
      name: 'rediss://cache.internal/1',
      options: {
        host: 'cache.internal',
        port: 6379,
        db: 1,
        username: 'gate',
        password: 's@sh:x',
        tls: { rejectUnauthorized: true },
      },
    })
    expect(parseRedisUrl('redis://:secret@cache')).toMatchObject({ options: { password: 'secret' } })
  })

  test('with files for TLS, which are read', () => {
    const dir = tempDir()
    const issuer = testCa(dir, 'a b')
    const [{ cert: ca }, { cert, key }] = [issuer, issuer.issue('gateway')]
    const text = join(dir, 'text')
    writeFileSync(text, 'no certificate')
    const own = new URLSearchParams({ cert, key })
    const texts = { ca: readFileSync(ca, 'utf8'), cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
    const read = parseRedisUrl(`rediss+cluster://a?${new URLSearchParams({ ca })}&${own}`)
    expect(read).toMatchObject({ name: 'rediss+cluster://a', options: { tls: texts } })
    expect(parseRedisUrl(`rediss+sentinel://a/main?${new URLSearchParams({ ca })}`)).toMatchObject({
      options: { tls: { ca: texts.ca }, sentinelTLS: { ca: texts.ca } },
    })
    // Copied for each connection, with what the files say then; what does not belong together changes nothing.
    const next = issuer.issue('gateway')
    copyFileSync(next.cert, cert)
    expect({ ...read.options.tls }).toEqual({ rejectUnauthorized: true, ...texts })
    copyFileSync(next.key, key)
    expect({ ...read.options.tls }).toMatchObject({ cert: readFileSync(next.cert, 'utf8') })
    expect(() => parseRedisUrl(`rediss://a?cert=${encodeURIComponent(ca)}&key=${encodeURIComponent(key)}`)).toThrow(
      'belong together',
    )
    expect(() => parseRedisUrl(`rediss://a?ca=${text}`)).toThrow(`${text} is no PEM file`)
    expect(() => parseRedisUrl(`rediss://a?ca=${text}-1`)).toThrow(`${text}-1 cannot be read: ENOENT`)
    expect(() => parseRedisUrl(`rediss://a?cert=${text}`)).toThrow('needs cert and key')
    expect(() => parseRedisUrl(`redis://a?ca=${ca}`)).toThrow('need a URL that begins with rediss')
    expect(() => parseRedisUrl(`rediss://a?insecure=${ca}`)).toThrow('ca, cert and key')
  })

  test('a cluster', () => {
    expect(parseRedisUrl('redis+cluster://u:p@a:7000,b')).toEqual({
      kind: 'cluster',
      name: 'redis+cluster://a:7000,b',
      nodes: [
        { host: 'a', port: 7000 },
        { host: 'b', port: 6379 },
      ],
      options: { username: 'u', password: 'p' },
    })
  })

  test('sentinels', () => {
    expect(parseRedisUrl('rediss+sentinel://a,b:26380/main/2')).toEqual({
      kind: 'sentinel',
      name: 'rediss+sentinel://a,b:26380/main/2',
      options: {
        sentinels: [
          { host: 'a', port: 26379 },
          { host: 'b', port: 26380 },
        ],
        name: 'main',
        db: 2,
        tls: { rejectUnauthorized: true },
        sentinelTLS: { rejectUnauthorized: true },
        enableTLSForSentinelMode: true,
      },
    })
  })

  test('sentinels with a password of their own', () => {
    const url = 'redis+sentinel://u:p@a/main?sentinelUser=watch&sentinelPassword=s%2Be%26t'
    expect(parseRedisUrl(url)).toMatchObject({
      name: 'redis+sentinel://a/main',
      options: { username: 'u', password: 'p', sentinelUsername: 'watch', sentinelPassword: 's+e&t' },
    })
    expect(() => parseRedisUrl('redis+sentinel://a/main?sentinelUser=watch')).toThrow('needs sentinelPassword')
    expect(() => parseRedisUrl('redis://a?sentinelPassword=x')).toThrow('redis+sentinel')
  })

  test.each([
    'redis+sentinel://a/main?sentinelPasswort=secret',
    'redis://a?sentinelPassword=secret',
    'http://secret@host',
    'redis://secret@a,b',
    'redis://u:se@cret@host',
    'redis://host:99999',
    'redis://host/secret',
    'redis://host/0/1',
    'redis://u:%zzsecret@host',
    'redis+cluster://secret@a/1',
    'redis+sentinel://secret@a',
    'redis+sentinel://a/main/0/secret',
    'redis://',
    '',
  ])('refuses %s without repeating it', url => {
    let message = ''
    try {
      parseRedisUrl(url)
    } catch (error) {
      message = (error as TypeError).message
    }
    expect(message).not.toBe('')
    expect(message).not.toMatch(/secret|cret/)
  })
})
