import { hostname } from 'node:os'
import type { Destination } from '../../../src/audit/forward/destination.ts'
import { elasticsearch } from '../../../src/audit/forward/elasticsearch.ts'
import { plainHttp } from '../../../src/audit/forward/http.ts'
import { httpDestination } from '../../../src/audit/forward/http-destination.ts'
import { otlp } from '../../../src/audit/forward/otlp.ts'
import { splunkHec } from '../../../src/audit/forward/splunk-hec.ts'
import { syslog } from '../../../src/audit/forward/syslog.ts'
import { tlsOrigin } from '../../../src/config/client-tls.ts'
import type { ForwardConfig } from '../../../src/config/forward-config.ts'
import type { Upstream } from '../../../src/ports/upstream.ts'
import { systemClock } from '../clock.ts'
import { nodeHashing } from '../hashing.ts'
import type { ClientTlsOf } from '../tls/client-tls.ts'
import { standardOutput } from './stdout.ts'
import { syslogConnection } from './syslog-connection.ts'

/** The destination that the configuration describes. Nothing is connected to yet. */
export function openDestination(config: ForwardConfig, upstream: Upstream, tlsOf: ClientTlsOf): Destination {
  const host = hostname()
  switch (config.kind) {
    case 'splunk-hec':
      return httpDestination(splunkHec({ ...config, host, channel: crypto.randomUUID() }), upstream)
    case 'elasticsearch':
      return httpDestination(elasticsearch(config), upstream)
    case 'otlp':
      return httpDestination(otlp({ ...config, host }), upstream)
    case 'http':
      return httpDestination(plainHttp({ ...config, hashing: nodeHashing, clock: systemClock }), upstream)
    case 'syslog': {
      const { url } = config
      return syslog(
        { ...config, host },
        syslogConnection(url, () => tlsOf(tlsOrigin(url))),
      )
    }
    case 'stdout':
      return standardOutput()
  }
}
