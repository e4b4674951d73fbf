// Preloaded into the gateway of a soak: writes once a second what can only be seen from inside.
import { renameSync, writeFileSync } from 'node:fs'

const file = process.env.SOAK_INSIDE ?? ''
const version = process.versions.bun ?? process.versions.node

function look() {
  const { heapUsed, external } = process.memoryUsage()
  /** @type {Record<string, number>} */
  const resources = {}
  // Bun gives an empty list.
  for (const name of process.getActiveResourcesInfo?.() ?? []) resources[name] = (resources[name] ?? 0) + 1
  writeFileSync(`${file}.tmp`, JSON.stringify({ version, heapUsed, external, resources }))
  renameSync(`${file}.tmp`, file)
}

setInterval(look, 1000).unref()
