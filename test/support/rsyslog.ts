import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, isListening } from './ports.ts'
import { type RunningProcess, startProcess } from './process.ts'
import { tempDir } from './temp-dir.ts'
import type { Pair } from './test-ca.ts'

export interface Rsyslog extends AsyncDisposable {
  readonly port: number
  readonly process: RunningProcess
  /** What was received: header fields, structured data and message of each. */
  messages(): SyslogMessage[]
}

export interface SyslogMessage {
  readonly pri: string
  readonly host: string
  readonly app: string
  readonly procid: string
  readonly msgid: string
  readonly sd: string
  readonly msg: string
}

export interface RsyslogOptions {
  readonly ca: string
  readonly server: Pair
  /** The name that a sender's certificate has to have; absent: senders need none. */
  readonly peer?: string
  readonly port?: number
  /** Where it keeps what it received; a new one unless given. */
  readonly dir?: string
}

/** A real rsyslogd that takes RFC 5425 on a port of its own and writes what it parsed to a file. */
export async function startRsyslog({ ca, server, peer, port, dir = tempDir() }: RsyslogOptions): Promise<Rsyslog> {
  const at = port ?? (await freePort())
  const [conf, out] = [join(dir, 'rsyslog.conf'), join(dir, 'received')]
  const auth = peer === undefined ? 'anon' : 'x509/name'
  const permitted = peer === undefined ? '' : ` PermittedPeer=["${peer}"]`
  const fields = ['pri', 'hostname', 'app-name', 'procid', 'msgid', 'structured-data', 'msg']
  const names = ['pri', 'host', 'app', 'procid', 'msgid', 'sd', 'msg']
  const properties = fields
    .map((field, index) => {
      const before = index === 0 ? '{\\"' : ',\\"'
      return `constant(value="${before}${names[index]}\\":\\"") property(name="${field}" format="json") constant(value="\\"")`
    })
    .join(' ')
  writeFileSync(
    conf,
    `global(workDirectory="${dir}" maxMessageSize="64k" defaultNetstreamDriver="ossl"
  defaultNetstreamDriverCAFile="${ca}" defaultNetstreamDriverCertFile="${server.cert}" defaultNetstreamDriverKeyFile="${server.key}")
module(load="imtcp" StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="${auth}"${permitted})
template(name="out" type="list") { ${properties} constant(value="}\\n") }
input(type="imtcp" port="${at}" address="127.0.0.1" ruleset="all")
ruleset(name="all") { action(type="omfile" file="${out}" template="out" flushOnTXEnd="on") }
`,
  )
  const process = await startProcess('/usr/sbin/rsyslogd', ['-n', '-f', conf, '-i', join(dir, 'pid'), '-C'], {
    cwd: dir,
    ready: () => isListening(at),
  })
  return {
    port: at,
    process,
    messages() {
      if (!existsSync(out)) return []
      const text = readFileSync(out, 'utf8')
      const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
      return lines.filter(line => line !== '').map(line => JSON.parse(line) as SyslogMessage)
    },
    [Symbol.asyncDispose]: process[Symbol.asyncDispose],
  }
}
