// Appends to the audit log named by the first argument, 64 requests at a time, and prints the id of each record that
// was acknowledged. Goes on after failures, which it reports as lines with a `!`, until it is killed.
import { writeSync } from 'node:fs'
import { openAuditFile } from '../../adapters/node/audit-file.ts'
import { systemClock } from '../../adapters/node/clock.ts'
import { nodeHashing } from '../../adapters/node/hashing.ts'
import { AuditLog } from '../../src/audit/log.ts'
import { sampleEntry } from '../unit/audit/sample.ts'

const [, , path = '', run = '', maxBytes = '1000000'] = process.argv
try {
  const sink = await openAuditFile({ path, maxBytes: Number(maxBytes) })
  const telemetry = { log: () => undefined, count: () => undefined }
  const log = await AuditLog.open({ sink, hashing: nodeHashing, clock: systemClock, telemetry })
  let id = 0
  const client = async () => {
    for (;;) {
      const requestId = `${run}-${id++}`
      const line = await log.append(sampleEntry({ requestId })).then(
        () => `${requestId}\n`,
        (error: Error) => `! ${error.message}\n`,
      )
      // Synchronous, so that what is printed is no more than what was acknowledged, and no less when it is killed.
      writeSync(1, line)
      if (line.startsWith('!')) await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
  await Promise.all(Array.from({ length: 64 }, client))
} catch (error) {
  writeSync(1, `! ${(error as Error).message}\n`)
  process.exit(3)
}
