/** Top levels under which a name without scheme or `www.` is taken for a site: no words of other texts, no file endings. */
const SITES = /\.(?:com|org|net|edu|gov|mil|info|biz|(?:co|com|org|net|ac|gov|edu|or|ne)\.[a-z]{2})$/i

const SCHEME = /^(?:https?|ftp):\/\//i

/** Whether a match of the form is the address of a site: a host with a top level, and what it is said to be by its beginning. */
export function isUrl(match: string): boolean {
  const scheme = SCHEME.exec(match)?.[0] ?? ''
  const host = match.slice(scheme.length).split(/[/?#:]/, 1)[0] ?? ''
  const labels = host.split('.')
  if (labels.length < 2 || !/^(?:[a-z]{2,24}|xn--[a-z0-9-]{2,59})$/i.test(labels.at(-1) ?? '')) return false
  if (labels.some(label => label === '' || label.startsWith('-') || label.endsWith('-'))) return false
  if (labels[0]?.toLowerCase() === 'www') return labels.length > 2
  return scheme !== '' || SITES.test(host)
}
