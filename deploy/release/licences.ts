import type { BundledPackage } from './bundled-packages.ts'

const LINE = '-'.repeat(80)

/** The licences of everything in the bundle, each with its text, as all of them ask for. */
export function licences(packages: readonly BundledPackage[]): string {
  const list = packages.map(({ name, version, license }) => `  ${name} ${version} (${license})`)
  const texts = packages.map(
    ({ name, version, licenseText }) => `${LINE}\n${name} ${version}\n${LINE}\n\n${licenseText}\n`,
  )
  return `dist/sallyport.mjs contains parts of these packages:\n\n${list.join('\n')}\n\n${texts.join('\n')}`
}
