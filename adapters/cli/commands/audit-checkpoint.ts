import type { Command } from 'commander'
import { signCheckpoint } from '../../../src/audit/checkpoint.ts'
import { GENESIS } from '../../../src/audit/record.ts'
import { createNoteVerifier, verifierKey } from '../../../src/audit/signed-note.ts'
import { nodeHashing } from '../../node/hashing.ts'
import { verifyAuditFiles } from '../../node/verify-audit-files.ts'
import { chosenFiles, fileFault } from '../audit-files.ts'
import { CommandFailure } from '../failure.ts'
import { readKeyFile } from '../key-files.ts'
import { statementKeys } from '../retention.ts'
import { originOf, readSigner } from '../start-checkpoints.ts'

interface CheckpointOptions {
  readonly key: string
  readonly origin?: string
  readonly config?: string
  readonly verifier?: true
}

/** `sallyport audit checkpoint`: a signed head of the log as it is now. */
export function registerAuditCheckpoint(audit: Command): void {
  audit
    .command('checkpoint')
    .description('verify the log and print a signed checkpoint of it, to be kept elsewhere')
    .argument('[file...]', 'the files of one log, in any order (default: those of the configuration)')
    .requiredOption('--key <file>', 'the private key: an Ed25519 JWK, such as keys/audit-signing.jwk.json')
    .option('--origin <name>', 'names the log in the checkpoint (default: after the host and the file)')
    .option('--config <file>', 'the configuration of the gateway, for where its log is')
    .option('--verifier', 'print the key that checks them instead, as tools for signed notes take it')
    .action(checkpoint)
}

async function checkpoint(
  named: readonly string[],
  { key, origin, config, verifier }: CheckpointOptions,
): Promise<void> {
  const files = await chosenFiles(named, config)
  const name = originOf(files.at(-1) ?? '', origin)
  const signer = await readSigner(key, name)
  if (verifier) {
    const created = await createNoteVerifier(await readKeyFile(key))
    if (!created.ok) throw new CommandFailure(`${key}: ${created.reason}`)
    process.stdout.write(`${await verifierKey(created.key, name)}\n`)
    return
  }
  const { verified, bad } = await verifyAuditFiles(nodeHashing, files, { keys: await statementKeys([key]) }).catch(
    (error: unknown) => {
      throw new CommandFailure(fileFault(error))
    },
  )
  if (bad !== undefined) throw new CommandFailure(`${bad.file} line ${bad.line}: ${bad.reason}; nothing is signed`)
  const { lastSeq, head = GENESIS } = verified
  if (lastSeq === undefined) throw new CommandFailure('there are no records to sign')
  const time = new Date().toISOString()
  process.stdout.write(await signCheckpoint(signer, { origin: name, seq: lastSeq, hash: head, time }))
}
