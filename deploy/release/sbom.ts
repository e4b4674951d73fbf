import { Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library'
import type { BundledPackage } from './bundled-packages.ts'

/**
 * A bill of materials of the bundle: CycloneDX 1.6 as JSON (https://cyclonedx.org/docs/1.6/json/). It has no time and no
 * serial number, so that the same bundle gives the same bill.
 *
 * @param digest SHA-256 of the bundle, hexadecimal
 */
export function sbom(
  program: { readonly name: string; readonly version: string; readonly license: string },
  digest: string,
  packages: readonly BundledPackage[],
): string {
  const bom = new Models.Bom()
  const main = new Models.Component(Enums.ComponentType.Application, program.name, {
    version: program.version,
    bomRef: program.name,
    licenses: new Models.LicenseRepository([new Models.SpdxLicense(program.license)]),
    hashes: new Models.HashDictionary([[Enums.HashAlgorithm['SHA-256'], digest]]),
  })
  bom.metadata.component = main
  for (const { name, version, license, integrity, homepage } of packages) {
    const [scope, bare] = name.startsWith('@') ? (name.split('/') as [string, string]) : [undefined, name]
    const purl = `pkg:npm/${scope === undefined ? '' : `${encodeURIComponent(scope)}/`}${bare}@${version}`
    const component = new Models.Component(Enums.ComponentType.Library, bare, {
      ...(scope !== undefined && { group: scope }),
      version,
      purl,
      bomRef: purl,
      scope: Enums.ComponentScope.Required,
      licenses: new Models.LicenseRepository([new Models.SpdxLicense(license)]),
      hashes: new Models.HashDictionary([[Enums.HashAlgorithm['SHA-512'], hexOf(integrity)]]),
      ...(homepage !== undefined && {
        externalReferences: new Models.ExternalReferenceRepository([
          new Models.ExternalReference(homepage, Enums.ExternalReferenceType.Website),
        ]),
      }),
    })
    bom.components.add(component)
    main.dependencies.add(component.bomRef)
  }
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6))
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`
}

/** Of an integrity as npm writes it. */
function hexOf(integrity: string): string {
  return Buffer.from(integrity.replace(/^sha512-/, ''), 'base64').toString('hex')
}
