import { createBunUpstream } from '../../adapters/bun/upstream.ts'
import { runChecks } from './run-checks.ts'
import { upstreamTlsChecks } from './upstream-tls.contract.ts'

// Nobody is there: whatever went by a proxy of the environment would fail.
for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy']) process.env[name] = 'http://127.0.0.1:1'

await runChecks(upstreamTlsChecks(tlsOf => createBunUpstream({ tlsOf })))
process.exit(0)
