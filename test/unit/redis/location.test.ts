import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseRedisUrl } from '../../../adapters/redis/location.ts'
import { tempDir } from '../../support/temp-dir.ts'

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
    const [ca, pem, text] = ['ca.pem', 'a b+c.pem', 'text'].map(name => join(dir, name)) as [string, string, string]
    for (const path of [ca, pem]) writeFileSync(path, `-----BEGIN ${path}`)
    writeFileSync(text, 'no certificate')
    const own = new URLSearchParams({ cert: pem, key: pem })
    expect(parseRedisUrl(`rediss+cluster://a?ca=${ca}&${own}`)).toMatchObject({
      name: 'rediss+cluster://a',
      options: { tls: { ca: `-----BEGIN ${ca}`, cert: `-----BEGIN ${pem}`, key: `-----BEGIN ${pem}` } },
    })
    expect(parseRedisUrl(`rediss+sentinel://a/main?ca=${ca}`)).toMatchObject({
      options: { tls: { ca: `-----BEGIN ${ca}` }, sentinelTLS: { ca: `-----BEGIN ${ca}` } },
    })
    expect(() => parseRedisUrl(`rediss://a?ca=${text}`)).toThrow(`${text} is no PEM file`)
    expect(() => parseRedisUrl(`rediss://a?ca=${text}-1`)).toThrow(`${text}-1 cannot be read: ENOENT`)
    expect(() => parseRedisUrl(`rediss://a?cert=${pem}`)).toThrow('needs cert and key')
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

  test.each([
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
