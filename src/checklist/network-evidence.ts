import { isLoopback } from '../config/loopback.ts'
import type { Evaluate } from './evaluate.ts'

const DAY_MS = 86_400_000
/** Certificates with less left than this should have been replaced. */
const MIN_CERTIFICATE_DAYS = 7

/** Rows 5 to 8. */
export const networkEvidence: readonly Evaluate[] = [
  ({ config }) => {
    const hosts = [
      ...new Set(config.models.flatMap(({ upstreams }) => upstreams.map(({ url }) => new URL(url).hostname))),
    ]
    const here = hosts.every(isLoopback) ? 'all on this machine' : hosts.join(', ')
    return { met: false, evidence: `Model servers: ${here}; the gateway does not see the network between` }
  },
  ({ egress }) => {
    if (egress === undefined)
      return { met: false, evidence: 'Not probed (--probe-egress HOST:PORT tries to get out of this machine)' }
    const { target, state, detail } = egress
    if (state === 'open') return { met: false, wrong: true, evidence: `This machine can reach ${target}` }
    if (state === 'unclear')
      return { met: false, evidence: `Whether this machine can reach ${target} is not clear: ${detail}` }
    return { met: true, evidence: `This machine cannot reach ${target}: ${detail}` }
  },
  ({ config }) => {
    const { listen, tls } = config
    const missing: string[] = []
    if (tls === undefined) missing.push(`callers come over plain HTTP to ${listen.host}`)
    else if (tls.clientAuth !== 'required') missing.push('callers need no certificate (tls.clientCa, tls.clientAuth)')
    let local = 0
    for (const { id, upstreams } of config.models) {
      for (const { url, tls: client } of upstreams) {
        const { protocol, hostname } = new URL(url)
        if (isLoopback(hostname)) local++
        else if (protocol === 'http:') missing.push(`${id}: plain HTTP to ${hostname}`)
        else if (client?.cert === undefined) missing.push(`${id}: no client certificate for ${hostname}`)
      }
    }
    if (missing.length > 0) return { met: false, evidence: `Not enforced: ${missing.join('; ')}` }
    const rest = local > 0 ? `, ${local} model servers on this machine without` : ''
    return { met: true, evidence: `Callers and model servers show certificates${rest}` }
  },
  ({ certificates, nowMs }) => {
    if (certificates.length === 0) return { met: false, evidence: 'No certificates are configured' }
    const bad = certificates.flatMap(({ setting, file, validity }) => {
      if (!validity.ok) return `${setting}: ${file} ${validity.reason}`
      const { fromMs, toMs } = validity.value
      if (fromMs > nowMs) return `${setting}: ${file} is not valid yet`
      const days = Math.floor((toMs - nowMs) / DAY_MS)
      if (toMs <= nowMs) return `${setting}: ${file} has expired`
      return days < MIN_CERTIFICATE_DAYS ? `${setting}: ${file} expires in ${days} days` : []
    })
    if (bad.length > 0) return { met: false, wrong: true, evidence: bad.join('; ') }
    const left = certificates.map(({ setting, validity }) =>
      validity.ok ? `${setting} ${Math.floor((validity.value.toMs - nowMs) / DAY_MS)} days` : '',
    )
    return { met: true, evidence: `Left: ${left.join(', ')}` }
  },
]
