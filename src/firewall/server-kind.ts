import type { UpstreamKind } from '../config/config.ts'

/** What one kind of model server is sent, and what of it nobody reaches: each kind is one file of data of this shape. */
export interface ServerKind {
  readonly kind: UpstreamKind
  /** By the gateway's path: the endpoints that this kind serves. A path that is not here is not forwarded to it. */
  readonly serves: Readonly<Record<string, ServedEndpoint>>
  /** Body fields that callers may never send, with the reason told to them; refused in front of every kind of server. */
  readonly refuses: Readonly<Record<string, string>>
}

/** One endpoint as a kind of server serves it. */
export interface ServedEndpoint {
  /** Behind the upstream's base URL, which ends in `/v1`. */
  readonly upstreamPath: string
  /** The body fields that are sent; nothing else is. */
  readonly takes: readonly string[]
  /** Known fields that change nothing there: accepted of callers, and left out. */
  readonly drops?: readonly string[]
  /** Fields that the gateway sets, whatever the caller says. */
  readonly sets?: Readonly<Record<string, string | boolean>>
  /** The one field by which this server bounds an answer, where it would ignore the others. */
  readonly boundedBy?: string
  /** Whether it separates what it caches of prompts by `cache_salt`. */
  readonly takesCacheSalt?: boolean
  /** Absent: it cannot be asked how many tokens a prompt has. */
  readonly counter?: TokenCounter
}

/** Where a server counts the tokens of a prompt without its model: the gateway asks there, and nobody else can. */
export interface TokenCounter {
  /** From the server's root, which lies above the `/v1` of its base URL. */
  readonly path: `/${string}`
  /** The fields of the request that have a say in the prompt; nothing else is sent. */
  readonly takes: readonly string[]
  /** Present: it counts one text. The field of the request that the text stands in, and its name there. */
  readonly text?: { readonly from: string; readonly as: string }
  /** Fields that the gateway sets. */
  readonly sets?: Readonly<Record<string, boolean>>
  /** The field of the answer with the number of tokens, or with the list of them. */
  readonly answer: 'input_tokens' | 'count' | 'tokens'
}

/** Paths of a model server that exist there and that no caller may reach. */
export interface Unreachable {
  readonly methods: readonly string[]
  readonly paths: readonly string[]
  /** What somebody could do with them. */
  readonly danger: string
}

/** The headers that a request to a model server has, of any kind. Nothing of the caller's headers is among them. */
export const REQUEST_HEADERS: Readonly<Record<string, string>> = {
  'content-type': '`application/json`',
  accept: '`text/event-stream` or `application/json`',
  'x-request-id': "the request's id, made unique",
  authorization: "`Bearer` and the upstream's `apiKey`, where it has one",
}
