import type { Random } from './random.ts'

const WORDS =
  'account budget cache driver engine field graph handler index journal kernel ledger matrix node object parser query record schema table update vector window'.split(
    ' ',
  )

type Line = (random: Random) => string

/** Lines that look like something to hide and are not, as logs, code, tables and documents have them. */
const LINES: readonly Line[] = [
  r => `request_id=${r.uuid()} took ${r.int(1, 900)}ms`,
  r => `commit ${r.text('hex', 40)}`,
  r => `Merge ${r.text('hex', 7)}..${r.text('hex', 7)} into main`,
  r => `"integrity": "sha512-${r.text('base64', 86)}=="`,
  r =>
    `  "resolved": "https://packages.example.org/${r.pick(WORDS)}/-/${r.pick(WORDS)}-${r.int(0, 9)}.${r.int(0, 20)}.${r.int(0, 30)}.tgz",`,
  r => `sha256:${r.text('hex', 64)}`,
  r => `checksum = "${r.text('hex', 64)}"`,
  r => `md5sum ${r.text('hex', 32)}  archive.tar.gz`,
  r => `etag: W/"${r.text('hex', 32)}"`,
  r => `traceparent: 00-${r.text('hex', 32)}-${r.text('hex', 16)}-01`,
  r => `data:image/png;base64,iVBORw0KGgo${r.text('base64', 120)}==`,
  r => `ISBN 978-3-16-${r.digits(6)}-${r.digits(1)}`,
  r => `EAN 40${r.digits(11)}`,
  r => `tracking number 1Z${r.text('upperAlnum', 6)}${r.digits(10)}`,
  r => `UPS 9400 ${r.digits(4)} ${r.digits(4)} ${r.digits(4)} ${r.digits(4)} ${r.digits(2)}`,
  r => `order ${r.digits(9)} shipped on 2025-${r.pick(['03', '07', '11'])}-${r.int(10, 28)}`,
  r => `Order #${r.digits(3)}-${r.digits(7)}-${r.digits(7)}`,
  r => `invoice ${r.int(2018, 2026)}/${r.digits(5)} of ${r.int(1, 9)},${r.digits(3)}.${r.digits(2)} EUR`,
  r => `timestamp ${1600000000 + r.int(0, 99999999)}`,
  r => `"created_at": ${1600000000000 + r.int(0, 99999999)}, "id": ${r.digits(10)}`,
  r =>
    `2025-0${r.int(1, 9)}-${r.int(10, 28)}T${r.int(10, 23)}:${r.int(10, 59)}:${r.int(10, 59)}.${r.digits(6)}Z INFO ready`,
  r => `[${r.int(10, 23)}:${r.int(10, 59)}:${r.int(10, 59)}] worker ${r.int(1, 16)} done`,
  r => `lat ${r.int(-89, 89)}.${r.digits(6)}, lon ${r.int(-179, 179)}.${r.digits(6)}`,
  r => `version ${r.int(0, 30)}.${r.int(0, 99)}.${r.int(0, 99)}.${r.int(0, 9999)}`,
  r => `upgrade to v${r.int(0, 30)}.${r.int(0, 99)}.${r.int(0, 99)}-rc.${r.int(1, 9)}`,
  r => `Chrome/${r.int(90, 140)}.0.${r.int(1000, 9999)}.${r.int(10, 200)} Safari/537.36`,
  r => `color: #${r.text('hex', 6)}; background: #${r.text('hex', 3)}; width: ${r.int(1, 99)}.${r.digits(4)}%`,
  r => `const key${r.int(1, 9)} = process.env.${r.pick(WORDS).toUpperCase()}_TOKEN ?? ''`,
  r =>
    `api_key: ${r.pick(['your-api-key-here', '<API_KEY>', '${API_KEY}', 'xxxxxxxxxxxxxxxx', '{{ api_key }}', 'YOUR_API_KEY', '********', 'REPLACE_ME_123', '%API_KEY_1%', '$(cat /run/secrets/key1)', 'sk-...'])}`,
  r => `password = "${r.pick(['changeme', 'password', '', 'secret', '<password>', 'hunter', '...'])}"`,
  r =>
    `password: ${r.pick(['String', 'z.string().min(8)', 'req.body.password1', 'os.getenv("DB_PASSWORD_2")', 'bcrypt.hash(pw, 10)', 'null'])}`,
  r => `const token = await getToken${r.int(1, 9)}(${r.pick(WORDS)}, { maxAge: ${r.digits(4)} })`,
  r => `token: tokens[${r.int(0, 9)}].${r.pick(WORDS)}_v${r.int(1, 3)}, next_page_token: "${r.text('alnum', 24)}"`,
  r => `secretName: ${r.pick(WORDS)}-${r.pick(WORDS)}-tls-v${r.int(1, 9)}`,
  r => `public_key = "${r.text('base64', 43)}="`,
  r => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${r.text('base64', 43)}`,
  r => `if (${r.pick(WORDS)}.token === 'sk_${r.pick(WORDS)}_id') return ${r.int(0, 5)}`,
  r => `x = ${r.int(1, 99)} * ${r.int(1, 99)} + ${r.int(100, 999)} - ${r.int(1, 9)}.${r.digits(5)}`,
  r => Array.from({ length: 6 }, () => r.digits(r.int(1, 5))).join(' '),
  r => `| ${r.int(100, 999)} | ${r.int(1000, 9999)} | ${r.int(10, 99)}.${r.digits(2)} | ${r.digits(6)} |`,
  r => `${r.int(1, 9)},${r.digits(3)},${r.digits(3)} users; ${r.int(1, 99)}.${r.digits(1)} % of ${r.digits(5)}`,
  r =>
    `pages ${r.int(100, 200)}-${r.int(201, 300)}, vol. ${r.int(1, 40)}, no. ${r.int(1, 12)}, doi:10.${r.digits(4)}/j.${r.digits(6)}`,
  r => `std::${r.pick(WORDS)}::new(${r.int(0, 255)}u8) & 0x${r.text('hex', 8)}`,
  r => `SKU ${r.form('@@@-####-@#')}, part ${r.form('@#-###-#####')}`,
  r => `flight ${r.form('@@ ####')} gate ${r.form('@##')} seat ${r.int(1, 40)}${r.pick(['A', 'C', 'F'])}`,
  r => `ticket ${r.pick(WORDS).toUpperCase()}-${r.int(100, 99999)}, score ${r.int(0, 9)}-${r.int(0, 9)}`,
  r => `range ${r.int(100, 200)}-${r.int(200, 300)}-${r.int(300, 400)} rpm at ${r.int(10, 99)} °C`,
  r =>
    `font: ${r.int(10, 30)}px/${r.int(1, 2)}.${r.digits(1)} "${r.pick(WORDS)}"; margin: 0 ${r.int(1, 9)}px ${r.int(1, 9)}px 0`,
  r =>
    `<path d="M${r.int(1, 99)}.${r.digits(3)} ${r.int(1, 99)}.${r.digits(3)}l-${r.digits(1)}.${r.digits(4)} ${r.digits(2)}-${r.digits(2)}.${r.digits(3)}z"/>`,
  r => `import { ${r.pick(WORDS)} } from '@scope/${r.pick(WORDS)}@${r.int(1, 9)}.${r.int(1, 9)}.0'`,
  r =>
    `docker run -u 1000:1000 -p ${r.int(1000, 9999)}:${r.int(1000, 9999)} ${r.pick(WORDS)}:${r.int(1, 9)}.${r.int(1, 9)}`,
  r => `git clone git@github.com:${r.pick(WORDS)}/${r.pick(WORDS)}.git`,
  r => `@app.route("/${r.pick(WORDS)}") uses @${r.pick(WORDS)} and logo@2x.png`,
  r =>
    `${r.pick(WORDS)}.prototype.${r.pick(WORDS)}${r.int(1, 9)} = function(e,t,n){return e.${r.pick(WORDS)}(t,${r.digits(3)})}`,
  () => `uint64 max is 18446744073709551615, pi is 3.14159265358979, e is 2.718281828459045`,
  () => `IPv6-like 12:34:56:78, ratio 16:9, ::before, a::b, 1::2, time 00:11:22`,
  () => `port 8080, localhost 127.0.0.1, mask 255.255.255.0, any 0.0.0.0`,
  r =>
    `The ${r.pick(WORDS)} has ${r.int(2, 90)} ${r.pick(WORDS)}s; see section ${r.int(1, 9)}.${r.int(1, 9)}.${r.int(1, 9)}.`,
]

export function noiseLine(random: Random): string {
  return random.pick(LINES)(random)
}
