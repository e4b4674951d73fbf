/** What a caller's library does for the shared cases of `cases.ts`. A new library is one file that exports one of these. */
export interface Client {
  readonly name: string
  /** What it has no means for, with the message that it fails with. */
  readonly lacks?: Partial<Record<Skill, string>>
  connect(to: Target): Connection
}

/** What not every library can do. */
export type Skill = 'structured' | 'embed'

export interface Target {
  /** The gateway, without `/v1`. */
  readonly url: string
  readonly token: string
  /** How often the library may try again by itself. */
  readonly retries: number
}

export interface Connection {
  /** The text of an answer that comes whole. */
  whole(model: string, question: string): Promise<string>
  /** The pieces of text of a streamed answer. */
  stream(model: string, question: string): Promise<string[]>
  /**
   * Asks the first model, with the tool `LOOKUP`; answers its streamed call with what `run` makes of the arguments; resolves
   * with the text of the second model's answer to all that.
   */
  callTool(models: readonly [string, string], run: (input: unknown) => string): Promise<string>
  /** The parsed answer of a model that is held to the JSON schema `PERSON`. */
  structured(model: string): Promise<unknown>
  embed(model: string, texts: readonly string[]): Promise<readonly (readonly number[])[]>
  /** What the library's error tells the program. */
  failure(error: unknown): Failure
}

export interface Failure {
  readonly status: number | undefined
  /** One of docs/reference/errors.md. */
  readonly code: string | undefined
  readonly retryAfter: string | undefined
}

/** JSON Schema of a person, as tools and structured answers use it. */
export const PERSON = {
  type: 'object' as const,
  properties: { email: { type: 'string' as const }, age: { type: 'integer' as const } },
  required: ['email', 'age'],
  additionalProperties: false,
}

export const LOOKUP = { name: 'lookup', description: 'Finds a person.', parameters: PERSON }
export const QUESTION = 'Who is it?'
