/** Endings of file names such as `logo@2x.png`, none of them a top-level domain. */
const FILE_ENDINGS = new Set([
  'png',
  'jpg',
  'jpeg',
  'gif',
  'svg',
  'webp',
  'css',
  'scss',
  'html',
  'json',
  'yaml',
  'yml',
  'tsx',
  'jsx',
])

/** Local parts that name a service, not a person, in addresses of source repositories. */
const SERVICE = /^git@(?:github|gitlab|bitbucket|ssh|codeberg)\b/i

/** Whether a match of the form is an address: no stray dots or hyphens at the joints, a top level that is not a file ending. */
export function isEmail(match: string): boolean {
  const at = match.lastIndexOf('@')
  const local = match.slice(0, at)
  const labels = match.slice(at + 1).split('.')
  if (local.endsWith('.') || local.includes('..') || SERVICE.test(match)) return false
  if (FILE_ENDINGS.has(labels.at(-1)?.toLowerCase() ?? '')) return false
  return labels.every(label => !label.startsWith('-') && !label.endsWith('-'))
}

/**
 * Whether a match of the spelled form is an address: an `at` in brackets, or one in words with a dot in words behind it (not
 * `look at example.com`), and letters at the end.
 */
export function isSpelledEmail(match: string): boolean {
  const at = /[[({<] ?(?:at|arroba|chiocciola) ?[\])}>]/i.test(match)
  if (!at && !/ at .* ?dot /i.test(match)) return false
  return /(?:[\s.\])}>])[a-z]{2,24}$/i.test(match)
}
