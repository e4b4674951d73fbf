import { createHmac, generateKeyPairSync, sign as signBytes } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import { CompactEncrypt, CompactSign, exportSPKI, importJWK, type JWK } from 'jose'
import type { IdentityProvider } from '../support/identity-provider.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
export const encode = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
export const now = () => Math.floor(Date.now() / 1000)

/** What an attacker is taken to have: every public key, good tokens, and in some rows the signing key of an issuer. */
export interface Loot {
  readonly idp: IdentityProvider
  readonly own: JWK & { kid: string }
  readonly good: string
  /** Header and payload, as values or as text, signed with the gateway's own key. */
  signed(header: unknown, claims: unknown): string
  readonly header: Record<string, unknown>
  readonly claims: Record<string, unknown>
}

const parts = (token: string) => token.split('.') as [string, string, string]
const hmac = (text: string, secret: string | Buffer, hash = 'sha256') =>
  `${text}.${createHmac(hash, secret).update(text).digest('base64url')}`
const x = (jwk: JWK) => Buffer.from(jwk.x ?? '', 'base64url')

/** JSON text with a member put in front of (`first`) or behind the others. */
const withMember = (value: object, member: string, first = false) => {
  const inner = JSON.stringify(value).slice(1, -1)
  return `{${first ? `${member},${inner}` : `${inner},${member}`}}`
}

/** The last character of a signature, with other bits where base64url has none. */
const otherSpelling = (part: string) => {
  const last = ALPHABET.indexOf(part.at(-1) ?? '')
  return part.slice(0, -1) + ALPHABET[last ^ 1]
}

/** Header and claims as the provider makes them, without a signature. */
const providerText = ({ idp }: Loot, header: object) =>
  `${encode({ typ: 'JWT', ...header })}.${encode({ iss: idp.issuer, aud: 'llm', iat: now(), exp: now() + 60, sub: 'a' })}`

export type Attack = (loot: Loot) => string | Promise<string>

/** By the section of RFC 8725 that they are about; then what it does not list. Each with what the log says. */
export const ATTACKS: Record<string, readonly [reason: RegExp, make: Attack]> = {
  // 2.1, 3.1: weak signatures and insufficient verification
  'alg none, without a signature': [
    /malformed/,
    ({ header, claims }) => `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`,
  ],
  'alg none, with one': [
    /algorithm_not_allowed/,
    ({ header, good }) => `${encode({ ...header, alg: 'none' })}.${parts(good)[1]}.${parts(good)[2]}`,
  ],
  'alg NoNe': [
    /algorithm_not_allowed/,
    ({ header, claims }) => `${encode({ ...header, alg: 'NoNe' })}.${encode(claims)}.AAAA`,
  ],
  'alg empty': [/algorithm_not_allowed/, ({ signed, header, claims }) => signed({ ...header, alg: '' }, claims)],
  'alg a list': [
    /algorithm_not_allowed/,
    ({ signed, header, claims }) => signed({ ...header, alg: ['EdDSA'] }, claims),
  ],
  'alg missing': [
    /algorithm_not_allowed/,
    ({ signed, header, claims }) => signed({ ...header, alg: undefined }, claims),
  ],
  'alg in other case': [
    /algorithm_not_allowed/,
    ({ signed, header, claims }) => signed({ ...header, alg: 'eddsa' }, claims),
  ],
  'HS256 with the raw public key': [
    /algorithm_not_allowed/,
    ({ own, header, claims }) => hmac(`${encode({ ...header, alg: 'HS256' })}.${encode(claims)}`, x(own)),
  ],
  'HS256 with the public key as JSON': [
    /algorithm_not_allowed/,
    ({ own, header, claims }) => hmac(`${encode({ ...header, alg: 'HS256' })}.${encode(claims)}`, JSON.stringify(own)),
  ],
  'HS512 with the provider’s RSA key as PEM': [
    /algorithm_not_allowed/,
    async ({ idp }) => {
      const [key] = idp.keys
      const pem = await exportSPKI((await importJWK(key?.publicJwk ?? {}, 'RS256', { extractable: true })) as CryptoKey)
      const [head, claims] = parts(await idp.token())
      const header = { ...JSON.parse(Buffer.from(head, 'base64url').toString()), alg: 'HS512' }
      return hmac(`${encode(header)}.${claims}`, pem, 'sha512')
    },
  ],
  'ES256 under an EdDSA key': [
    /key_mismatch/,
    ({ header, claims }) => `${encode({ ...header, alg: 'ES256' })}.${encode(claims)}.${'A'.repeat(86)}`,
  ],
  'a psychic ES256 signature (all zero)': [
    /bad_signature/,
    loot => `${providerText(loot, { alg: 'ES256', kid: 'idp-ec' })}.${Buffer.alloc(64).toString('base64url')}`,
  ],
  'an ES256 signature of r = 0': [
    /bad_signature/,
    loot => {
      const signature = Buffer.alloc(64)
      signature[63] = 1
      return `${providerText(loot, { alg: 'ES256', kid: 'idp-ec' })}.${signature.toString('base64url')}`
    },
  ],
  'an empty EdDSA signature in form': [
    /bad_signature/,
    ({ good }) => `${parts(good)[0]}.${parts(good)[1]}.${'A'.repeat(86)}`,
  ],
  'a signature cut short': [
    /bad_signature/,
    ({ good }) => {
      const [head, claims, signature] = parts(good)
      return `${head}.${claims}.${Buffer.from(signature, 'base64url').subarray(0, 60).toString('base64url')}`
    },
  ],
  'a signature with more behind it': [
    /bad_signature/,
    ({ good }) =>
      `${parts(good)[0]}.${parts(good)[1]}.${Buffer.concat([Buffer.from(parts(good)[2], 'base64url'), Buffer.from([0])]).toString('base64url')}`,
  ],
  'the signature of another token': [
    /bad_signature/,
    ({ good, signed, header, claims }) =>
      `${parts(good)[0]}.${parts(good)[1]}.${parts(signed(header, { ...claims, jti: 'b' }))[2]}`,
  ],
  'a stranger’s key under our kid': [
    /bad_signature/,
    ({ header, claims }) => {
      const text = `${encode(header)}.${encode(claims)}`
      return `${text}.${signBytes(null, Buffer.from(text), generateKeyPairSync('ed25519').privateKey).toString('base64url')}`
    },
  ],
  // 2.4, 3.3: several layers, encryption
  'a JWE': [
    /malformed/,
    async ({ good, own }) => {
      const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
      const header = { alg: 'RSA-OAEP-256', enc: 'A256GCM', cty: 'JWT', kid: own.kid } as const
      return new CompactEncrypt(new TextEncoder().encode(good)).setProtectedHeader(header).encrypt(publicKey)
    },
  ],
  'a JWE that unpacks to much (zip)': [
    /malformed|oversize/,
    ({ own }) => {
      const bomb = deflateRawSync(Buffer.alloc(2_000_000)).toString('base64url')
      return [
        encode({ alg: 'dir', enc: 'A256GCM', zip: 'DEF', kid: own.kid }),
        '',
        'AAAAAAAAAAAAAAAA',
        bomb,
        'AAAA',
      ].join('.')
    },
  ],
  'a PBES2 header with ten million rounds': [
    /algorithm_not_allowed/,
    ({ header, claims }) =>
      `${encode({ ...header, alg: 'PBES2-HS256+A128KW', p2c: 10_000_000, p2s: 'AAAA' })}.${encode(claims)}.AAAA`,
  ],
  'zip in a signed token': [
    /forbidden_header:zip/,
    ({ signed, header, claims }) => signed({ ...header, zip: 'DEF' }, claims),
  ],
  'enc in a signed token': [
    /forbidden_header:enc/,
    ({ signed, header, claims }) => signed({ ...header, enc: 'A256GCM' }, claims),
  ],
  'a token inside a token': [/malformed/, ({ signed, header, good }) => signed({ ...header, cty: 'JWT' }, good)],
  'JSON in place of the compact form': [
    /authorization_malformed|malformed/,
    ({ good }) => JSON.stringify({ protected: parts(good)[0], payload: parts(good)[1], signature: parts(good)[2] }),
  ],
  // 2.6, 3.7, 3.10: header parameters that name keys
  'its own jwk': [/forbidden_header:jwk/, ({ signed, header, claims, own }) => signed({ ...header, jwk: own }, claims)],
  jku: [
    /forbidden_header:jku/,
    ({ signed, header, claims }) => signed({ ...header, jku: 'https://127.0.0.1:1/jwks' }, claims),
  ],
  'jku of a cloud’s metadata': [
    /forbidden_header:jku/,
    ({ signed, header, claims }) => signed({ ...header, jku: 'http://169.254.169.254/' }, claims),
  ],
  x5u: [
    /forbidden_header:x5u/,
    ({ signed, header, claims }) => signed({ ...header, x5u: 'https://127.0.0.1:1/x' }, claims),
  ],
  x5c: [/forbidden_header:x5c/, ({ signed, header, claims }) => signed({ ...header, x5c: ['AAAA'] }, claims)],
  'crit unknown': [
    /forbidden_header:crit/,
    ({ signed, header, claims }) => signed({ ...header, crit: ['x'], x: 1 }, claims),
  ],
  'crit empty': [/forbidden_header:crit/, ({ signed, header, claims }) => signed({ ...header, crit: [] }, claims)],
  'b64: false, made critical': [
    /forbidden_header:crit/,
    ({ signed, header, claims }) => signed({ ...header, b64: false, crit: ['b64'] }, claims),
  ],
  'b64: false': [/forbidden_header:b64/, ({ signed, header, claims }) => signed({ ...header, b64: false }, claims)],
  ...Object.fromEntries(
    [
      '../../../../dev/null',
      '/etc/passwd',
      "' OR '1'='1",
      '$(id)',
      '__proto__',
      'constructor',
      '',
      '*',
      'a\u0000b',
      '🔑',
    ].map(
      kid =>
        [
          `kid ${JSON.stringify(kid)}`,
          [/unknown_key/, (({ signed, header, claims }) => signed({ ...header, kid }, claims)) as Attack],
        ] as const,
    ),
  ),
  'kid a list': [/unknown_key/, ({ signed, header, claims, own }) => signed({ ...header, kid: [own.kid] }, claims)],
  'kid missing': [/unknown_key/, ({ signed, header, claims }) => signed({ ...header, kid: undefined }, claims)],
  // 2.7, 2.8, 3.8, 3.9, 3.11: tokens of others, for others, of other kinds
  'typ JWT': [/wrong_type/, ({ signed, header, claims }) => signed({ ...header, typ: 'JWT' }, claims)],
  'typ of an ID token': [/wrong_type/, ({ signed, header, claims }) => signed({ ...header, typ: 'id+jwt' }, claims)],
  'typ of a DPoP proof': [/wrong_type/, ({ signed, header, claims }) => signed({ ...header, typ: 'dpop+jwt' }, claims)],
  'typ none, in so many words': [
    /wrong_type/,
    ({ signed, header, claims }) => signed({ ...header, typ: 'none' }, claims),
  ],
  'no typ': [/wrong_type/, ({ signed, header, claims }) => signed({ ...header, typ: undefined }, claims)],
  'an issuer unknown here': [
    /wrong_issuer/,
    ({ signed, header, claims }) => signed(header, { ...claims, iss: 'https://evil.example' }),
  ],
  'an issuer that is a list': [
    /wrong_issuer/,
    ({ signed, header, claims }) => signed(header, { ...claims, iss: ['sallyport'] }),
  ],
  'the provider’s name, our key': [
    /bad_signature/,
    ({ signed, header, claims, idp }) => signed({ ...header, typ: 'JWT' }, { ...claims, iss: idp.issuer, aud: 'llm' }),
  ],
  'our name, the provider’s key, our kid': [
    /key_mismatch/,
    ({ idp, own, claims }) => idp.token(claims, { kid: own.kid, typ: 'at+jwt' }),
  ],
  'our name, the provider’s Ed25519 key of our kid': [
    /bad_signature/,
    async ({ idp, own, header, claims }) => {
      const twin = idp.keys.find(({ kid }) => kid === own.kid)
      if (twin === undefined) throw new Error('the provider has no key of our kid')
      const payload = new TextEncoder().encode(JSON.stringify(claims))
      return new CompactSign(payload).setProtectedHeader({ ...header, alg: 'EdDSA' }).sign(twin.privateKey)
    },
  ],
  'the provider’s, for another audience': [/wrong_audience/, ({ idp }) => idp.token({ aud: 'sallyport' })],
  'the provider’s, of a kind not taken': [/wrong_type/, ({ idp }) => idp.token({}, { typ: 'at+jwt' })],
  'the provider’s, naming a team of ours directly': [
    /missing_claim:team/,
    ({ idp }) => idp.token({ team: 'legal', groups: [] }),
  ],
  'the provider’s, with a path for a team': [/invalid_claim:team/, ({ idp }) => idp.token({ groups: ['../legal'] })],
  'for another audience': [
    /wrong_audience/,
    ({ signed, header, claims }) => signed(header, { ...claims, aud: 'billing' }),
  ],
  'for an audience that ours is part of': [
    /wrong_audience/,
    ({ signed, header, claims }) => signed(header, { ...claims, aud: 'sallyport-staging' }),
  ],
  'for too many audiences': [
    /wrong_audience/,
    ({ signed, header, claims }) =>
      signed(header, { ...claims, aud: [...Array.from({ length: 50 }, (_, i) => `a${i}`), 'sallyport'] }),
  ],
  // times
  'exp as text': [
    /invalid_claim:exp/,
    ({ signed, header, claims }) => signed(header, { ...claims, exp: String(claims['exp']) }),
  ],
  'exp null': [/invalid_claim:exp/, ({ signed, header, claims }) => signed(header, { ...claims, exp: null })],
  'exp past all numbers': [
    /invalid_claim:exp/,
    ({ signed, header, claims }) =>
      signed(header, JSON.stringify({ ...claims, exp: 0 }).replace('"exp":0', '"exp":1e999')),
  ],
  'exp in milliseconds': [
    /invalid_claim:exp/,
    ({ signed, header, claims }) => signed(header, { ...claims, exp: Date.now() + 60_000 }),
  ],
  'exp negative': [/invalid_claim:exp/, ({ signed, header, claims }) => signed(header, { ...claims, exp: -1 })],
  'exp a second ago': [/expired/, ({ signed, header, claims }) => signed(header, { ...claims, exp: now() - 1 })],
  'iat far ahead': [
    /not_yet_valid/,
    ({ signed, header, claims }) => signed(header, { ...claims, iat: now() + 86_400, exp: now() + 90_000 }),
  ],
  'iat as text': [
    /invalid_claim:iat/,
    ({ signed, header, claims }) => signed(header, { ...claims, iat: String(now()) }),
  ],
  'nbf far ahead': [/not_yet_valid/, ({ signed, header, claims }) => signed(header, { ...claims, nbf: now() + 3600 })],
  'a life of ten years': [
    /lifetime_too_long/,
    ({ signed, header, claims }) => signed(header, { ...claims, exp: now() + 315_360_000 }),
  ],
  'bound to a certificate that was not shown': [
    /certificate/,
    ({ signed, header, claims }) => signed(header, { ...claims, cnf: { 'x5t#S256': 'A'.repeat(43) } }),
  ],
  // readers that differ
  'a team twice': [/malformed/, ({ signed, header, claims }) => signed(header, withMember(claims, '"team":"legal"'))],
  'a team twice, the good one last': [
    /malformed/,
    ({ signed, header, claims }) => signed(header, withMember(claims, '"team":"legal"', true)),
  ],
  'a team twice, once in escapes': [
    /malformed/,
    ({ signed, header, claims }) => signed(header, withMember(claims, '"\\u0074eam":"legal"')),
  ],
  'alg twice': [/malformed/, ({ signed, header, claims }) => signed(withMember(header, '"alg":"none"', true), claims)],
  'a member twice, deep inside': [
    /malformed/,
    ({ signed, header, claims }) => signed(header, withMember(claims, '"x":{"y":[{"z":1,"z":2}]}')),
  ],
  'a signature spelt otherwise': [
    /malformed/,
    ({ good }) => `${parts(good)[0]}.${parts(good)[1]}.${otherSpelling(parts(good)[2])}`,
  ],
  'a header with padding': [/malformed/, ({ good }) => good.replace('.', '=.')],
  'base64 with + and /': [
    /malformed/,
    ({ good }) => `${parts(good)[0]}.${parts(good)[1]}.+/${parts(good)[2].slice(2)}`,
  ],
  'a dot behind': [/malformed/, ({ good }) => `${good}.`],
  'a dot in front': [/malformed/, ({ good }) => `.${good}`],
  'a part more': [/malformed/, ({ good }) => `${good}.AAAA`],
  'an empty payload': [/malformed/, ({ good }) => `${parts(good)[0]}..${parts(good)[2]}`],
  'claims with a byte order mark': [
    /malformed/,
    ({ signed, header, claims }) => signed(header, `\ufeff${JSON.stringify(claims)}`),
  ],
  'claims that are no UTF-8': [
    /malformed/,
    ({ good }) =>
      `${parts(good)[0]}.${Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]).toString('base64url')}.${parts(good)[2]}`,
  ],
  'claims that are a list': [/malformed/, ({ signed, header }) => signed(header, [])],
  'claims that are null': [/malformed/, ({ signed, header }) => signed(header, null)],
  'claims nested 3000 deep': [
    /missing_claim|malformed/,
    ({ signed, header }) => signed(header, `{"a":${'['.repeat(2500)}${']'.repeat(2500)}}`),
  ],
  'claims of another prototype': [
    /missing_claim/,
    ({ signed, header, claims }) => signed(header, `{"__proto__":${JSON.stringify(claims)}}`),
  ],
  // what would get into keys, records and headers
  'a team of look-alikes': [
    /invalid_claim:team/,
    ({ signed, header, claims }) => signed(header, { ...claims, team: 'lеgal' }),
  ],
  'a team in full width': [
    /invalid_claim:team/,
    ({ signed, header, claims }) => signed(header, { ...claims, team: 'ｌｅｇａｌ' }),
  ],
  'a team turned around': [
    /invalid_claim:team/,
    ({ signed, header, claims }) => signed(header, { ...claims, team: '\u202elagel' }),
  ],
  'a team with a line end': [
    /invalid_claim:team/,
    ({ signed, header, claims }) => signed(header, { ...claims, team: 'legal\n' }),
  ],
  'a team with a key’s separator': [
    /invalid_claim:team/,
    ({ signed, header, claims }) => signed(header, { ...claims, team: 'a:b' }),
  ],
  'a subject with a line end': [
    /invalid_claim:sub/,
    ({ signed, header, claims }) => signed(header, { ...claims, sub: 'a\r\nx: y' }),
  ],
  'scopes in a list': [
    /invalid_claim:scope/,
    ({ signed, header, claims }) => signed(header, { ...claims, scope: ['inference'] }),
  ],
  'models in a text': [
    /invalid_claim:models/,
    ({ signed, header, claims }) => signed(header, { ...claims, models: '*' }),
  ],
  'a lone surrogate': [
    /invalid_claim:team/,
    ({ signed, header, claims }) => signed(header, withMember({ ...claims, team: undefined }, '"team":"\\ud800"')),
  ],
  'large, under the limit of headers': [
    /oversize/,
    ({ signed, header, claims }) => signed(header, { ...claims, note: 'x'.repeat(8000) }),
  ],
}
