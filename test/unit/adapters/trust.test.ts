import { expect, test } from 'vitest'
import { type Made, makeAuthority, makeLeaf, remake } from '../../../adapters/cli/certs/make-certificate.ts'
import { isVouchedFor, vouchedUntil } from '../../../adapters/node/tls/trust.ts'
import { signerOf } from '../../support/certificates.ts'

const NOW_MS = Date.now()
const days = (untilMs: number | undefined) => untilMs !== undefined && (untilMs - NOW_MS) / 86_400_000

const root = makeAuthority('Root', 30, NOW_MS)
/** The root as it was before it was renewed: the same key, which ends sooner. */
const oldRoot = remake(root.certificate, signerOf(root), 1, NOW_MS)
const middle = remake(makeAuthority('Middle', 1, NOW_MS).certificate, signerOf(root), 9, NOW_MS)
const leaf = makeLeaf({ name: 'caller', use: 'client', names: [] }, signerOf(middle), 5, NOW_MS)
const stranger = makeAuthority('Root', 30, NOW_MS)

test.each<[string, readonly Made[], readonly Made[], number | false]>([
  ['up to its own end', [leaf, middle], [root], 5],
  ['up to the end of the authority', [leaf, middle], [oldRoot], 1],
  ['as long as the renewed authority lets', [leaf, middle], [oldRoot, root], 5],
  ['up to the end of what is above an authority', [leaf], [middle, oldRoot], 1],
  ['in any order', [leaf, root, middle], [root, middle], 5],
  ['not without what is between', [leaf], [root], false],
  ['not by a stranger of the same name', [leaf, middle], [stranger], false],
  ['not for a certificate that was only brought along', [leaf, root], [root], false],
])('a caller is vouched for %s', (_, shown, authorities, expected) => {
  const [chain, trusted] = [shown, authorities].map(all => all.map(({ certificate }) => certificate))
  const found = days(vouchedUntil(chain ?? [], trusted ?? []))
  if (expected === false) expect(found).toBe(false)
  else expect(found).toBeCloseTo(expected, 3)
  expect(isVouchedFor(chain ?? [], trusted ?? [])).toBe(expected !== false)
})
