import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Command } from 'commander'
import { sealProblems } from '../../../src/weights/compare.ts'
import { isExecutable } from '../../../src/weights/formats.ts'
import { type SealedFile, signManifest } from '../../../src/weights/manifest.ts'
import { reasonOf } from '../../node/error-code.ts'
import { manifestPath } from '../../node/weights/read-manifest.ts'
import { CommandFailure } from '../failure.ts'
import { formatBytes } from '../format-bytes.ts'
import { isOpenToOthers, readKeyFile } from '../key-files.ts'
import { note, print, printJson } from '../print.ts'
import { ReadProgress } from '../read-progress.ts'
import { inspectFolder, problemList, type WeightsOptions, withWeightsOptions } from '../weights-folder.ts'

interface SealOptions extends WeightsOptions {
  readonly allowPickle?: true
}

/** The model server reads it, under another user. */
const MANIFEST_MODE = 0o644

/** `sallyport weights seal`: a signed list of what is in a folder. */
export function registerWeightsSeal(weights: Command): void {
  const command = weights.command('seal').description('write a signed manifest of the files in a folder')
  withWeightsOptions(command, 'the private key that signs (Ed25519, a JWK)')
    .option('--allow-pickle', 'seal files too that run code when they are loaded')
    .action(seal)
}

async function seal(dir: string, options: SealOptions): Promise<void> {
  const path = manifestPath(dir, options.manifest)
  // Before an hour of hashing, not behind it.
  const jwk = await readKeyFile(options.key)
  if ((await signManifest({ version: 1, sealed: new Date().toISOString(), files: [] }, jwk)) === undefined) {
    throw new CommandFailure(`${options.key} is no private Ed25519 key with a "kid" (sallyport keys init makes one)`)
  }
  if (await isOpenToOthers(options.key)) note(`warning: ${options.key} can be read by others; chmod 600 closes it`)
  const progress = new ReadProgress()
  const { files, problems, bytes } = await inspectFolder(dir, {
    manifest: path,
    needsHash: () => true,
    begin: total => progress.begin(total),
    progress: read => progress.add(read),
    ...(options.workers !== undefined && { workers: options.workers }),
  })
  const seconds = progress.end()
  const all = [...problems, ...sealProblems(files, options.allowPickle === true)]
  if (all.length > 0) {
    const hint = all.some(({ kind }) => kind === 'executable')
      ? '\n--allow-pickle seals a pickle that you trust; safetensors and GGUF hold data alone'
      : ''
    throw new CommandFailure(`${dir} is not sealed:\n${problemList(all)}${hint}`)
  }
  if (files.length === 0) throw new CommandFailure(`${dir} is not sealed: there are no files in it`)
  const sealed = files.filter((file): file is SealedFile => file.sha256 !== undefined)
  const manifest = { version: 1 as const, sealed: new Date().toISOString(), files: sealed }
  await write(path, (await signManifest(manifest, jwk)) ?? '')
  const pickles = files.filter(({ format }) => isExecutable(format)).map(file => file.path)
  if (options.json) {
    return printJson({
      ok: true,
      manifest: path,
      sealed: manifest.sealed,
      files: files.length,
      bytes,
      seconds,
      pickles,
    })
  }
  print(`sealed ${files.length} files, ${formatBytes(bytes)} in ${seconds.toFixed(1)} s: ${path}`)
  for (const pickle of pickles) note(`warning: ${pickle} is a pickle: it may run any code when it is loaded`)
}

async function write(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(temporary, text, { flag: 'wx', mode: MANIFEST_MODE, flush: true })
    await chmod(temporary, MANIFEST_MODE)
    await rename(temporary, path)
  } catch (error) {
    throw new CommandFailure(`${path} cannot be written: ${reasonOf(error)} (--manifest names another place)`)
  } finally {
    await rm(temporary, { force: true })
  }
}
