import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A certificate and its key, as PEM files. */
export interface Pair {
  readonly cert: string
  readonly key: string
}

export interface TestCa extends Pair {
  /** Signs a certificate of `CN=name`; `days` may be negative: then it has ended. */
  issue(name: string, alternativeNames?: string, days?: number): Pair
}

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** An authority of its own in a new folder below `parent`, made with the `openssl` command. */
export function testCa(parent: string, name = 'ca'): TestCa {
  const folder = join(parent, name)
  mkdirSync(folder)
  const file = (of: string) => join(folder, of)
  const [cert, key] = [file('ca.pem'), file('ca-key.pem')]
  openssl('req', '-x509', ...EC, '-days', '2', '-subj', `/CN=${name}`, '-keyout', key, '-out', cert)
  let serial = 0
  return {
    cert,
    key,
    issue(subject, alternativeNames = 'DNS:localhost,IP:127.0.0.1', days = 2) {
      const own = `${subject}-${++serial}`
      const [request, extensions] = [file(`${own}.csr`), file(`${own}.ext`)]
      const pair = { cert: file(`${own}.pem`), key: file(`${own}-key.pem`) }
      openssl('req', ...EC, '-subj', `/CN=${subject}`, '-keyout', pair.key, '-out', request)
      writeFileSync(extensions, `subjectAltName=${alternativeNames}\n`)
      const by = ['-CA', cert, '-CAkey', key, '-set_serial', String(serial), '-days', String(days)]
      openssl('x509', '-req', '-in', request, ...by, '-extfile', extensions, '-out', pair.cert)
      return pair
    },
  }
}

/** The files' contents, as `node:tls` takes them. */
export function pemOf({ cert, key }: Pair): { cert: string; key: string } {
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' })
}
