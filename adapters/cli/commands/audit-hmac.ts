import type { Command } from 'commander'
import type { JsonValue } from '../../../src/audit/canonical-json.ts'
import { hmacKey, hmacKeyId, promptHmac } from '../../../src/audit/hmac.ts'
import { MAX_BODY_BYTES } from '../../../src/config/limits.ts'
import { locateConfig, readConfig } from '../../node/config-file.ts'
import { nodeHashing } from '../../node/hashing.ts'
import { faultList, nameOf } from '../config-faults.ts'
import { CommandFailure } from '../failure.ts'
import { print, printJson } from '../print.ts'
import { readStdin } from '../stdin.ts'

interface HmacOptions {
  readonly config?: string
  readonly json?: true
}

/** `sallyport audit hmac`: what a prompt is called in the records, under the present secret and earlier ones. */
export function registerAuditHmac(audit: Command): void {
  audit
    .command('hmac')
    .description('read a prompt (the JSON of messages, input or prompt) and print what it is called in records, by key')
    .option('--config <file>', 'the configuration of the gateway, for its HMAC secrets')
    .option('--json', 'print JSON')
    .action(hmac)
}

async function hmac({ config, json }: HmacOptions): Promise<void> {
  const location = await locateConfig(config, process.env, process.cwd())
  const read = await readConfig(location, process.env)
  if (!read.ok) throw new CommandFailure(faultList(nameOf(location), read.faults))
  const { hmacSecret, previousHmacSecrets } = read.config.audit
  const prompt = parsed(await readStdin(MAX_BODY_BYTES))
  const rows = [hmacSecret, ...previousHmacSecrets].flatMap(secret => {
    const key = hmacKey(secret)
    return key.ok
      ? [{ hmacKeyId: hmacKeyId(nodeHashing, key.key), promptHmac: promptHmac(nodeHashing, key.key, prompt) }]
      : []
  })
  if (json) return printJson(rows)
  for (const row of rows) print(`${row.hmacKeyId}  ${row.promptHmac}`)
}

function parsed(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue
  } catch {
    throw new CommandFailure('standard input is not JSON: give the value as the caller sent it, text in quotes')
  }
}
