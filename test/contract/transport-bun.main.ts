import { serveBun } from '../../adapters/bun/server.ts'
import { serveBunTls } from '../../adapters/bun/tls-server.ts'
import { bunTransport } from '../../adapters/bun/transport.ts'
import { nodeTransport } from '../../adapters/node/transport.ts'
import { makeFiles } from './certificates.ts'
import { runChecks } from './run-checks.ts'
import { transportChecks } from './transport.contract.ts'

await runChecks(transportChecks(bunTransport, serveBun))
const files = makeFiles()
const secure = { tls: { cert: files.cert, key: files.key }, ca: files.ca }
const checks = transportChecks(nodeTransport, serveBunTls, secure)
await runChecks(checks.map(({ name, run }) => ({ name: `over TLS: ${name}`, run })))
files.remove()
process.exit(0)
