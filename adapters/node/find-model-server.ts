/** A model server found on this machine. */
export interface FoundModelServer {
  /** With `/v1`, as the configuration wants it. */
  readonly url: string
  readonly kind: 'llama.cpp' | 'vllm' | 'ollama'
  /** Its models' names, never empty. */
  readonly models: readonly string[]
}

/** Where to look. The order is the preference when several answer. */
const USUAL_PLACES: readonly { readonly port: number; readonly kind: FoundModelServer['kind'] }[] = [
  { port: 8080, kind: 'llama.cpp' },
  { port: 8000, kind: 'vllm' },
  { port: 11434, kind: 'ollama' },
]
const DEADLINE_MS = 300
/** More than any list of models; other programs listen on these ports too. */
const MAX_BYTES = 256 * 1024

/** Asks the usual local ports for their models, all at once, in at most 300 ms. Never rejects. */
export async function findModelServer(places = USUAL_PLACES): Promise<FoundModelServer | undefined> {
  const found = await Promise.all(
    places.map(async ({ port, kind }) => {
      const url = `http://127.0.0.1:${port}/v1`
      const models = await modelsAt(url)
      return models.length > 0 ? { url, kind, models } : undefined
    }),
  )
  return found.find(server => server !== undefined)
}

async function modelsAt(url: string): Promise<string[]> {
  try {
    const signal = AbortSignal.timeout(DEADLINE_MS)
    const response = await fetch(`${url}/models`, { signal, redirect: 'error' })
    if (response.ok && response.body) return modelIds(await boundedText(response.body))
    await response.body?.cancel()
  } catch {
    // Nobody there, too slow, or another kind of server: all the same here.
  }
  return []
}

async function boundedText(body: ReadableStream<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.byteLength
    if (length > MAX_BYTES) return ''
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function modelIds(text: string): string[] {
  const list = (JSON.parse(text) as { data?: unknown } | null)?.data
  if (!Array.isArray(list)) return []
  return list
    .map((entry: unknown) => (entry as { id?: unknown } | null)?.id)
    .filter((id): id is string => typeof id === 'string' && id !== '')
}
