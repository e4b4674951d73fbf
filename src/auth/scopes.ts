/** What a token may allow (`scope` claim). Whoever queries models cannot manage them, and the other way round. */
export const SCOPES = ['inference', 'models:read', 'models:admin', 'tokens:admin', 'usage:read', 'audit:read'] as const

export type Scope = (typeof SCOPES)[number]
