import type { Command } from 'commander'
import { compareWeights } from '../../../src/weights/compare.ts'
import { isExecutable } from '../../../src/weights/formats.ts'
import { manifestPath, readManifest } from '../../node/weights/read-manifest.ts'
import { CommandFailure } from '../failure.ts'
import { formatBytes } from '../format-bytes.ts'
import { note, print, printJson } from '../print.ts'
import { ReadProgress } from '../read-progress.ts'
import { inspectFolder, problemList, type WeightsOptions, withWeightsOptions } from '../weights-folder.ts'

/** `sallyport weights verify`: whether a folder is what was sealed. */
export function registerWeightsVerify(weights: Command): void {
  const command = weights.command('verify').description('prove that the files in a folder are those that were sealed')
  withWeightsOptions(command, 'the public key, a JWK or a JWK Set; of a private one the public part counts').action(
    verify,
  )
}

async function verify(dir: string, options: WeightsOptions): Promise<void> {
  const path = manifestPath(dir, options.manifest)
  const opened = await readManifest(path, options.key)
  if (!opened.ok) throw new CommandFailure(opened.reason)
  const { manifest, keyId } = opened
  const sizes = new Map(manifest.files.map(file => [file.path, file.size]))
  const progress = new ReadProgress()
  const { files, problems, bytes } = await inspectFolder(dir, {
    manifest: path,
    // Of another size it is another file, and one that was added is wrong whatever it holds.
    needsHash: file => sizes.get(file.path) === file.size,
    begin: total => progress.begin(total),
    progress: read => progress.add(read),
    ...(options.workers !== undefined && { workers: options.workers }),
  })
  const seconds = progress.end()
  const all = [...problems, ...compareWeights(manifest, files)]
  const pickles = files.filter(({ format }) => isExecutable(format)).map(file => file.path)
  if (options.json) {
    printJson({
      ok: all.length === 0,
      manifest: path,
      sealed: manifest.sealed,
      keyId,
      files: files.length,
      bytes,
      seconds,
      problems: all,
      pickles,
    })
    if (all.length > 0) process.exitCode = 1
    return
  }
  if (all.length > 0) throw new CommandFailure(`${dir} is not what was sealed:\n${problemList(all)}`)
  print(`ok: ${files.length} files, ${formatBytes(bytes)} in ${seconds.toFixed(1)} s`)
  print(`sealed ${manifest.sealed}, kid ${keyId}`)
  for (const pickle of pickles) note(`warning: ${pickle} is a pickle that was sealed as one: it may run any code`)
}
