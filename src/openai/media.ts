import * as v from 'valibot'

/** What a request says of an image that it only points at, when it may not. */
export const NOT_INLINE = 'must be a data: URL; the model server is not sent to fetch addresses'

/** An image inside the request, as a `data:` URL, or at an address, of which `forbiddenImage` decides. */
export const imageUrl = v.pipe(v.string(), v.regex(/^(?:data:|https?:)/i, NOT_INLINE))

/**
 * The place of the first image that the model server would have to fetch from a host that is not allowed: a caller could
 * make it read what only it can reach. Addresses that are allowed are written anew, so that every reader of them finds the
 * same host in them.
 * @param hosts as in a URL: `images.example`, or `images.example:8443` where the port is not the scheme's own
 */
export function forbiddenImage(
  fields: Readonly<Record<string, unknown>>,
  hosts: readonly string[],
): string | undefined {
  return searchIn(fields['messages'], 'messages', hosts) ?? searchIn(fields['input'], 'input', hosts)
}

/** Looks through lists of messages, of their parts, and of the parts of tool results. */
function searchIn(list: unknown, place: string, hosts: readonly string[]): string | undefined {
  if (!Array.isArray(list)) return undefined
  for (const [index, item] of list.entries()) {
    if (typeof item !== 'object' || item === null) continue
    const part = item as Record<string, unknown>
    const at = `${place}[${index}]`
    const found =
      checkAt(part, 'image_url', `${at}.image_url`, hosts) ??
      checkAt(part['image_url'], 'url', `${at}.image_url.url`, hosts) ??
      checkAt(part['source'], 'url', `${at}.source.url`, hosts) ??
      searchIn(part['content'], `${at}.content`, hosts) ??
      searchIn(part['output'], `${at}.output`, hosts)
    if (found) return found
  }
  return undefined
}

function checkAt(holder: unknown, key: string, place: string, hosts: readonly string[]): string | undefined {
  if (typeof holder !== 'object' || holder === null) return undefined
  const value = (holder as Record<string, unknown>)[key]
  if (typeof value !== 'string' || value.startsWith('data:')) return undefined
  const url = URL.parse(value)
  const isAllowed =
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    hosts.includes(url.host) &&
    url.username === '' &&
    url.password === ''
  if (!isAllowed) return place
  ;(holder as Record<string, unknown>)[key] = url.href
  return undefined
}
