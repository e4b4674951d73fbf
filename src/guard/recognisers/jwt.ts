import type { RuleDefinition } from '../rule.ts'

/** A header is `{"…`, `{ "…` or `{\n…` in Base64url, which begins with `ey` or `ew`; so does the payload of a signed token. */
export const JWT_RULES: readonly RuleDefinition[] = [
  {
    name: 'JWT',
    group: 'secrets',
    description: 'JSON Web Token, signed or encrypted, in compact form (RFC 7515, RFC 7516).',
    pattern: 'eyJ[A-Za-z0-9_-]{10,512}\\.{1,2}[A-Za-z0-9_-]{10}|e[yw][A-Za-z0-9_-]{16,512}\\.e[yw][A-Za-z0-9_-]{8}',
    caseSensitive: true,
    notAfter: '[A-Za-z0-9]',
    tail: { body: '[A-Za-z0-9_.=-]' },
    examples: [
      'Bearer «eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl» ok',
      'token="«eyJhbGciOiJub25lIn0.eyJzdWIiOiIxMjM0NTY3ODkwIn0.»"',
      '«eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4In0..aXZpdml2aXY.Y2lwaGVydGV4dA.dGFn»',
    ],
    counterExamples: ['eyJhbGciOiJIUzI1NiJ9', 'eyJhbGciOiJIUzI1NiJ9.short', 'eyewitness_testimony.description'],
  },
]
