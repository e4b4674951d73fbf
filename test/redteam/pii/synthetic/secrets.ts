import type { Value } from './personal.ts'
import type { Alphabet, Random } from './random.ts'

/**
 * Keys as their providers document them, written down apart from the rules: prefix and random parts. Names are what a
 * variable that holds one may be called.
 */
const KEYS: readonly (readonly [name: string, ...parts: (string | readonly [Alphabet, number])[]])[] = [
  ['github_token', 'ghp_', ['alnum', 36]],
  ['github_token', 'ghs_', ['alnum', 36]],
  ['github_pat', 'github_pat_', ['alnum', 22], '_', ['alnum', 59]],
  ['gitlab_token', 'glpat-', ['base64url', 20]],
  ['gitlab_deploy', 'gldt-', ['base64url', 20]],
  ['slack_bot', 'xoxb-', ['digit', 12], '-', ['digit', 13], '-', ['alnum', 24]],
  ['slack_user', 'xoxp-', ['digit', 12], '-', ['digit', 12], '-', ['digit', 13], '-', ['hex', 32]],
  ['slack_app', 'xapp-1-A', ['upperAlnum', 10], '-', ['digit', 13], '-', ['hex', 64]],
  ['slack_hook', 'https://hooks.slack.com/services/T', ['upperAlnum', 8], '/B', ['upperAlnum', 10], '/', ['alnum', 24]],
  ['discord_hook', 'https://discord.com/api/webhooks/', ['digit', 18], '/', ['base64url', 68]],
  ['stripe_key', 'sk_live_', ['alnum', 24]],
  ['stripe_key', 'rk_live_', ['alnum', 99]],
  ['stripe_hook', 'whsec_', ['alnum', 32]],
  ['aws_key_id', 'AKIA', ['base32', 16]],
  ['aws_key_id', 'ASIA', ['base32', 16]],
  ['google_key', 'AIzaSy', ['base64url', 33]],
  ['google_secret', 'GOCSPX-', ['base64url', 28]],
  ['google_access', 'ya29.a0', ['base64url', 150]],
  ['sendgrid', 'SG.', ['base64url', 22], '.', ['base64url', 43]],
  ['twilio', 'SK', ['hex', 32]],
  ['npm', 'npm_', ['alnum', 36]],
  ['pypi', 'pypi-AgEIcHlwaS5vcmc', ['base64url', 160]],
  ['openai', 'sk-proj-', ['base64url', 74], 'T3BlbkFJ', ['base64url', 74]],
  ['openai', 'sk-', ['alnum', 20], 'T3BlbkFJ', ['alnum', 20]],
  ['anthropic', 'sk-ant-api03-', ['base64url', 93], 'AA'],
  ['huggingface', 'hf_', ['alnum', 34]],
  ['groq', 'gsk_', ['alnum', 52]],
  ['replicate', 'r8_', ['alnum', 37]],
  ['perplexity', 'pplx-', ['alnum', 48]],
  ['openrouter', 'sk-or-v1-', ['hex', 64]],
  ['digitalocean', 'dop_v1_', ['hex', 64]],
  ['shopify', 'shpat_', ['hex', 32]],
  ['mailgun', 'key-', ['hex', 32]],
  ['mailchimp', ['hex', 32], '-us', ['digit', 2]],
  ['brevo', 'xkeysib-', ['hex', 64], '-', ['alnum', 16]],
  ['figma', 'figd_', ['base64url', 40]],
  ['linear', 'lin_api_', ['alnum', 40]],
  ['notion', 'ntn_', ['digit', 11], ['alnum', 35]],
  ['airtable', 'pat', ['alnum', 14], '.', ['hex', 64]],
  ['databricks', 'dapi', ['hex', 32]],
  ['grafana', 'glsa_', ['alnum', 32], '_', ['hex', 8]],
  ['newrelic', 'NRAK-', ['upperAlnum', 27]],
  ['vault', 'hvs.', ['base64url', 95]],
  ['pulumi', 'pul-', ['hex', 40]],
  ['docker', 'dckr_pat_', ['base64url', 27]],
  ['postman', 'PMAK-', ['hex', 24], '-', ['hex', 34]],
  ['rubygems', 'rubygems_', ['hex', 48]],
  ['telegram', ['digit', 10], ':AA', ['base64url', 33]],
  ['square', 'sq0atp-', ['base64url', 22]],
  ['supabase', 'sbp_', ['hex', 40]],
  ['netlify', 'nfp_', ['alnum', 36]],
  ['doppler', 'dp.pt.', ['alnum', 43]],
  ['planetscale', 'pscale_tkn_', ['base64url', 43]],
  ['tailscale', 'tskey-auth-', ['alnum', 12], '-', ['alnum', 32]],
  ['dynatrace', 'dt0c01.', ['base32', 24], '.', ['base32', 64]],
  ['atlassian', 'ATATT3xFfGF0', ['base64url', 171], '=', ['upperAlnum', 8]],
  ['jwt', 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI', ['base64url', 60], '.', ['base64url', 43]],
  ['age', 'AGE-SECRET-KEY-1', ['upperAlnum', 58]],
]

/** Values that only their name makes a secret. */
const NAMED: readonly (readonly [name: string, make: (random: Random) => string])[] = [
  ['aws_secret_access_key', random => random.text('base64', 40)],
  ['datadog_api_key', random => random.text('hex', 32)],
  ['twilio_auth_token', random => random.text('hex', 32)],
  [
    'db_password',
    random =>
      `${random.text('alnum', 6)}${random.pick(['!', '#', '$', '&'])}${random.digits(2)}${random.text('alnum', 5)}`,
  ],
  ['password', random => `${random.text('alnum', 9)}${random.digits(2)}`],
  ['client_secret', random => random.text('alnum', 32)],
  ['jwt_secret', random => `${random.text('base64', 43)}=`],
  ['session_secret', random => random.text('hex', 64)],
  ['accessToken', random => random.text('alnum', 40)],
  ['apiKey', random => random.text('lowerAlnum', 24)],
  ['privateKey', random => random.text('hex', 64)],
  ['HEROKU_API_KEY', random => random.uuid()],
  ['encryption_key', random => random.text('base64', 44)],
  ['auth_token', random => random.text('base64url', 32)],
]

const SCHEMES = ['postgres', 'mysql', 'mongodb+srv', 'amqps', 'redis', 'https', 'ftp', 'postgresql+asyncpg']

/** A secret and the name of the variable that holds it. */
export interface Secret extends Value {
  readonly name: string
}

export function secretValue(random: Random): Secret {
  const kind = random.next()
  if (kind < 0.6) {
    const [name, ...parts] = random.pick(KEYS)
    const text = parts.map(part => (typeof part === 'string' ? part : random.text(part[0], part[1]))).join('')
    return secret(text, name, false)
  }
  if (kind < 0.92) {
    const [name, make] = random.pick(NAMED)
    return secret(make(random), name, true)
  }
  return secret(privateKey(random), 'private_key', false)
}

/** `user:password@` of a URL, with what stands around it. */
export function urlCredentials(random: Random): { before: string; text: string; after: string } {
  const text = `${random.pick(['app', 'root', 'admin', 'svc-user', ''])}:${random.text('alnum', random.int(8, 20))}@`
  return { before: `${random.pick(SCHEMES)}://`, text, after: `db-${random.int(1, 9)}.example.net:5432/main` }
}

function secret(text: string, name: string, needsLabel: boolean): Secret {
  return { type: 'SECRET', text, name, labels: [name], needsLabel }
}

function privateKey(random: Random): string {
  const kind = random.pick(['RSA ', 'EC ', '', 'OPENSSH ', 'ENCRYPTED '])
  const lines = Array.from({ length: random.int(3, 40) }, () => random.text('base64', 64))
  return [`-----BEGIN ${kind}PRIVATE KEY-----`, ...lines, `-----END ${kind}PRIVATE KEY-----`].join('\n')
}
