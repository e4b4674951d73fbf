import { execFile } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, expect, test, vi } from 'vitest'
import { makeAuthority, makeLeaf } from '../../adapters/cli/certs/make-certificate.ts'
import { parseCertificates } from '../../adapters/node/tls/pem.ts'
import { signerOf } from '../support/certificates.ts'
import { run } from '../support/cli.ts'
import { MINIMAL } from '../support/config.ts'
import { tempDir } from '../support/temp-dir.ts'

vi.setConfig({ testTimeout: 60_000 })

const openssl = (dir: string, ...args: string[]) =>
  promisify(execFile)('openssl', args, { cwd: dir }).then(
    ({ stdout }) => stdout,
    (error: { stdout: string; stderr: string }) => `FAILED ${error.stdout}${error.stderr}`,
  )
const certs = async (dir: string, ...args: string[]) => {
  const done = await run(dir, ['certs', ...args])
  if (done.code !== 0) throw new Error(done.stderr)
  return done.stdout
}
const read = (dir: string, name: string) => readFileSync(join(dir, name), 'utf8')

let dir: string
beforeAll(async () => {
  dir = tempDir()
  await certs(dir, 'init', '--name', 'Example CA')
  await certs(dir, 'issue', '--server', 'gateway.internal', '--san', 'ip:10.0.0.7,dns:*.gw.internal')
  await certs(dir, 'issue', '--client', 'billing', '--san', 'uri:spiffe://example/billing', '--days', '7')
  await certs(dir, 'issue', '--client', 'gone')
  // As if it had been made two months ago.
  const [authority] = parseCertificates(read(dir, 'certs/ca.pem'), 'ca.pem')
  const signer = { certificate: authority, key: createPrivateKey(read(dir, 'certs/ca-key.pem')) }
  const names = [{ kind: 'dns', value: 'old.internal' }] as const
  const old = makeLeaf({ name: 'old', use: 'client', names }, signer, 90, Date.now() - 65 * 86_400_000)
  writeFileSync(join(dir, 'certs/client-old.pem'), old.pem)
  writeFileSync(join(dir, 'certs/client-old-key.pem'), old.keyPem)
  const foreign = makeAuthority('Foreign', 1, Date.now())
  writeFileSync(join(dir, 'certs/foreign.pem'), foreign.pem)
})

test('OpenSSL takes them for what they are, and for nothing else', async () => {
  const verify = (purpose: string, file: string) =>
    openssl(dir, 'verify', '-x509_strict', '-CAfile', 'certs/ca.pem', '-purpose', purpose, `certs/${file}`)
  expect(await verify('sslserver', 'server.pem')).toContain('server.pem: OK')
  expect(await verify('sslclient', 'client-billing.pem')).toContain('client-billing.pem: OK')
  expect(await verify('sslclient', 'server.pem')).toContain('unsuitable certificate purpose')
  expect(await verify('sslserver', 'client-billing.pem')).toContain('unsuitable certificate purpose')
})

test('they say what they should', async () => {
  const text = (file: string) => openssl(dir, 'x509', '-in', `certs/${file}`, '-noout', '-text')
  const ca = await text('ca.pem')
  expect(ca).toMatch(/Subject: CN = Example CA/)
  expect(ca).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/)
  expect(ca).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign/)
  const server = await text('server.pem')
  expect(server).toContain('NIST CURVE: P-256')
  expect(server).toContain('ecdsa-with-SHA256')
  expect(server).toMatch(/Basic Constraints: critical\s+CA:FALSE/)
  expect(server).toMatch(/Key Usage: critical\s+Digital Signature\n/)
  expect(server).toMatch(/Extended Key Usage: \s+TLS Web Server Authentication\n/)
  expect(server).toContain('DNS:gateway.internal, IP Address:10.0.0.7, DNS:*.gw.internal')
  const keyId = /Subject Key Identifier: \s+(\S+)/.exec(ca)?.[1]
  expect(/Authority Key Identifier: \s+(\S+)/.exec(server)?.[1]).toBe(keyId)
  expect(await text('client-billing.pem')).toContain('DNS:billing, URI:spiffe://example/billing')
  const serials = new Set([ca, server].map(one => /Serial Number:\s+(\S+)/.exec(one)?.[1]?.length))
  expect(Math.max(...[...serials].map(Number))).toBeGreaterThanOrEqual(16 * 3 - 1)
})

test('keys are for their owner alone, and nothing is written over', async () => {
  const mode = (name: string) => (statSync(join(dir, 'certs', name)).mode & 0o777).toString(8)
  expect(['ca-key.pem', 'server-key.pem', 'client-billing-key.pem', 'ca.pem'].map(mode)).toEqual([
    '600',
    '600',
    '600',
    '644',
  ])
  const before = read(dir, 'certs/server-key.pem')
  for (const args of [['init'], ['issue', '--server', 'other'], ['issue', '--client', 'billing']]) {
    const { code, stderr } = await run(dir, ['certs', ...args])
    expect(code).toBe(1)
    expect(stderr).toContain('already there')
  }
  expect(read(dir, 'certs/server-key.pem')).toBe(before)
})

test('list tells what there is and what is due', async () => {
  const rows = JSON.parse(await certs(dir, 'list', '--json')) as Record<string, unknown>[]
  const row = (file: string) => rows.find(one => one['file'] === `certs/${file}`)
  expect(row('ca.pem')).toMatchObject({ use: 'authority', subject: 'CN=Example CA', state: 'good' })
  expect(row('server.pem')).toMatchObject({
    use: 'server',
    names: ['dns:gateway.internal', 'ip:10.0.0.7', 'dns:*.gw.internal'],
  })
  expect(row('client-billing.pem')).toMatchObject({ use: 'client', state: 'good' })
  expect(row('client-old.pem')).toMatchObject({ use: 'client', state: 'due' })
  expect(rows).toHaveLength(6)
  expect(await certs(dir, 'list')).toMatch(/certs\/client-old\.pem +client +CN=old .* \(due\)/)
})

test('renew gives a new key, serial and life, and the same names; only what is due with --all-due', async () => {
  const [server, client] = ['certs/server.pem', 'certs/client-old.pem'].map(file => read(dir, file))
  const key = read(dir, 'certs/client-old-key.pem')
  const names = await openssl(
    dir,
    'x509',
    '-in',
    'certs/client-old.pem',
    '-noout',
    '-subject',
    '-ext',
    'subjectAltName',
  )
  const renewed = JSON.parse(await certs(dir, 'renew', '--all-due', '--json')) as { file: string }[]
  expect(renewed.map(({ file }) => file)).toEqual(['certs/client-old.pem'])
  expect(read(dir, 'certs/server.pem')).toBe(server)
  expect(read(dir, 'certs/client-old.pem')).not.toBe(client)
  expect(read(dir, 'certs/client-old-key.pem')).not.toBe(key)
  expect(
    await openssl(dir, 'x509', '-in', 'certs/client-old.pem', '-noout', '-subject', '-ext', 'subjectAltName'),
  ).toBe(names)
  expect(await certs(dir, 'renew', '--all-due')).toBe('nothing is due\n')
  await certs(dir, 'renew', 'certs/ca.pem')
  await certs(dir, 'renew', 'certs/server.pem', '--days', '3')
  for (const file of ['server.pem', 'client-old.pem', 'client-gone.pem']) {
    expect(await openssl(dir, 'verify', '-CAfile', 'certs/ca.pem', `certs/${file}`)).toContain('OK')
  }
})

test('revoke makes a list that OpenSSL takes, and adds to it', async () => {
  await certs(dir, 'revoke')
  const check = (file: string) =>
    openssl(dir, 'verify', '-crl_check', '-CRLfile', 'certs/crl.pem', '-CAfile', 'certs/ca.pem', `certs/${file}`)
  expect(await openssl(dir, 'crl', '-in', 'certs/crl.pem', '-noout', '-text')).toContain('No Revoked Certificates')
  expect(await check('client-gone.pem')).toContain('OK')
  await certs(dir, 'revoke', 'certs/client-gone.pem')
  const again = JSON.parse(await certs(dir, 'revoke', 'certs/client-gone.pem', '--json'))
  expect(again).toMatchObject({ file: 'certs/crl.pem', entries: 1 })
  expect(await check('client-gone.pem')).toContain('certificate revoked')
  expect(await check('server.pem')).toContain('OK')
  expect(await openssl(dir, 'crl', '-in', 'certs/crl.pem', '-noout', '-crlnumber')).toMatch(/=(0x)?0?3$/m)
  expect(await certs(dir, 'list')).toMatch(/client-gone\.pem .*\(revoked\)/)
})

test('revocations at the same time do not lose each other; what was renewed is revoked by its serial number', async () => {
  const folder = tempDir()
  await certs(folder, 'init')
  for (const client of ['a', 'b', 'c']) await certs(folder, 'issue', '--client', client)
  await Promise.all(['a', 'b', 'c'].map(client => certs(folder, 'revoke', `certs/client-${client}.pem`)))
  const renewed = JSON.parse(await certs(folder, 'renew', 'certs/client-a.pem', '--json')) as Record<string, string>
  const listed = () => openssl(folder, 'crl', '-in', 'certs/crl.pem', '-noout', '-text')
  expect((await listed()).match(/Serial Number/g)).toHaveLength(3)
  expect(await listed()).toContain(renewed['replaced']?.toUpperCase())
  expect(JSON.parse(await certs(folder, 'revoke', '--serial', '01:AB', '--json'))).toMatchObject({
    revoked: '01ab',
    entries: 4,
  })
  const again = await run(folder, ['certs', 'init', '--force'])
  expect(again.stderr).toContain('certs/crl.pem: the list of the authority that is there; move it away')
  writeFileSync(join(folder, 'certs/ca-key.pem'), read(folder, 'certs/client-b-key.pem'))
  expect((await run(folder, ['certs', 'renew', 'certs/ca.pem'])).stderr).toContain('ca-key.pem: does not belong to')
})

test.each([
  [2, ['issue', '--server', 'bücher.example'], 'Use a host name or an address. Write xn--bcher-kva.example.'],
  [2, ['issue', '--server', 'fe80::1%eth0'], 'Use a host name or an address.'],
  [2, ['issue', '--client', 'x', '--san', 'ip:fe80::1%eth0'], 'Use dns:host'],
  [2, ['revoke', '--serial', 'xyz'], 'Use up to 40 hexadecimal digits'],
  [2, ['revoke', 'certs/ca.pem', '--serial', '1'], 'give a certificate or --serial, not both'],
  [2, ['issue'], 'give one of --server and --client'],
  [2, ['issue', '--server', 'a', '--client', 'b'], 'give one of --server and --client'],
  [2, ['issue', '--client', '../x'], "'--client <name>' argument '../x' is invalid"],
  [2, ['issue', '--client', 'x', '--san', 'a.example'], 'Use dns:host'],
  [2, ['issue', '--client', 'x', '--san', 'ip:10.0.0'], 'Use dns:host'],
  [2, ['issue', '--client', 'x', '--days', '0'], 'Use whole days'],
  [2, ['issue', '--client', 'x', '--out', 'ca'], 'ca.pem is taken'],
  [2, ['renew'], 'name a certificate, or give --all-due'],
  [2, ['revoke', 'certs/ca.pem'], 'an authority is not revoked'],
  [1, ['renew', 'certs/none.pem'], 'certs/none.pem: there is no such file'],
  [1, ['renew', 'certs/ca-key.pem'], 'certs/ca-key.pem: not a PEM certificate'],
  [1, ['issue', '--client', 'x', '--dir', 'elsewhere'], 'elsewhere/ca.pem: there is no such file'],
  [1, ['list', '--dir', 'elsewhere'], 'elsewhere: there is no such folder'],
])('%d: %j', async (code, args, message) => {
  const done = await run(dir, ['certs', ...args])
  expect({ code: done.code, stdout: done.stdout }).toEqual({ code, stdout: '' })
  expect(done.stderr).toContain(message)
})

test('what another authority has signed is neither renewed nor revoked', async () => {
  const other = tempDir()
  await certs(other, 'init')
  await certs(other, 'issue', '--client', 'x')
  for (const command of ['renew', 'revoke']) {
    const { code, stderr } = await run(dir, ['certs', command, join(other, 'certs/client-x.pem')])
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('not signed by certs/ca.pem') })
  }
})

test('config check tells of certificates that end soon, and of those that cannot be used', async () => {
  const folder = tempDir()
  const authority = makeAuthority('CA', 20, Date.now())
  const server = makeLeaf({ name: 'a', use: 'server', names: [] }, signerOf(authority), 3, Date.now())
  writeFileSync(join(folder, 'ca.pem'), authority.pem)
  writeFileSync(join(folder, 'server.pem'), server.pem)
  writeFileSync(join(folder, 'key.pem'), server.keyPem)
  writeFileSync(join(folder, 'c.yaml'), `${MINIMAL}tls: { cert: server.pem, key: key.pem, clientCa: ca.pem }`)
  const { code, stdout } = await run(folder, ['config', 'check', 'c.yaml'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/tls\.cert: .*server\.pem: the server certificate expires in 2 days/)
  expect(stdout).toMatch(/tls\.clientCa: .*ca\.pem: the client authority expires in 19 days/)
  writeFileSync(join(folder, 'key.pem'), authority.keyPem)
  expect((await run(folder, ['config', 'check', 'c.yaml'])).stdout).toMatch(/key\.pem: this key does not belong/)
})
