import { type Ending, endingsIn } from '../node/tls/expiry.ts'
import { parseCertificates, readPem } from '../node/tls/pem.ts'

const FILES = { ca: 'server_authority', cert: 'client_certificate' } as const

/**
 * What ends of the certificates that a Redis URL names (`rediss://…?ca=FILE&cert=FILE&key=FILE`).
 * @throws StartError naming the file
 */
export async function redisCertificates(url: string): Promise<Ending[]> {
  const files = new URLSearchParams(url.split('?')[1])
  const endings: Ending[] = []
  for (const name of ['ca', 'cert'] as const) {
    const file = files.get(name)
    if (file !== null) endings.push(...endingsIn(FILES[name], file, parseCertificates(await readPem(file), file)))
  }
  return endings
}
