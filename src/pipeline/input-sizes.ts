import { LEARNED_PAIRS, LONG_PROMPT_TOKENS } from '../config/limits.ts'
import { type TokenCountServices, TokenCounts } from '../model-servers/token-counts.ts'
import type { Measurements } from '../ports/telemetry.ts'
import type { InputSize } from '../quota/input-size.ts'
import { LearnedInput, MOST_TIMES, type PromptKind } from '../quota/learned-input.ts'
import type { QuotaPlan } from '../quota/plan.ts'
import { ReservationError } from '../quota/reservation-error.ts'
import type { Validators } from '../validators/validators.ts'
import type { Exchange } from './exchange.ts'
import type { UpstreamPool } from './upstream-pool.ts'

/** What decides whether a model server is asked, and which. */
interface CountingServices {
  readonly pool: UpstreamPool
  readonly validators: Validators | undefined
}

/** Counts may differ from answers by so many tokens, or by so large a part: templates put dates and ids into prompts. */
const TOLERATED_TOKENS = 16
const TOLERATED_PART = 0.02
/** Prompts are counted ahead where a limit is at most so many times as large: what they are off by matters to it. */
const MATTERS_TIMES = 100

/**
 * How large prompts are taken to be when limits are charged: by the model server's count where that is worth a question, by
 * what was learnt of the team's prompts, else by the safe estimate.
 */
export class InputSizes {
  private readonly learned = new LearnedInput(LEARNED_PAIRS)
  private readonly counts: TokenCounts
  private readonly error: ReservationError

  constructor(services: TokenCountServices & { readonly telemetry: Measurements }) {
    this.counts = new TokenCounts(services)
    this.error = new ReservationError(services.telemetry)
  }

  /** What is known without asking anybody. */
  guess(exchange: Exchange): InputSize {
    const { model, principal, estimatedInput: safe, promptCharacters: characters, overhead } = exchange
    const surplus = overhead?.media ? 'media' : overhead?.tools ? 'tools' : 'none'
    const prompt: PromptKind = { safe, characters, surplus }
    const tokens = this.learned.tokens(model?.id ?? '', principal?.team ?? '', prompt)
    return tokens === undefined ? { tokens: safe, source: 'default', prompt } : { tokens, source: 'learned', prompt }
  }

  /** Whether a model server may be asked about this request at all. */
  mayCount({ model, endpoint, overhead, policy }: Exchange, services: CountingServices): boolean {
    if (!model || model.countTokens === 'never' || !endpoint.metered || !this.counts.isOffered(model, endpoint.path)) {
      return false
    }
    // Counts leave media out. And who has to look at a prompt before a model server does, has not seen it yet.
    const validators = services.validators?.of('input', policy?.validators) ?? []
    return !overhead?.media && !validators.some(({ config }) => config.input.mode === 'before')
  }

  /**
   * Whether to ask before limits are charged: prompts that are long, and considerable for a limit. All others are let in by
   * their estimate, and counted only if they would be refused.
   */
  isWorthCounting({ model }: Exchange, { tokens }: InputSize, { inputLimit = 0 }: QuotaPlan): boolean {
    if (model?.countTokens === 'always') return true
    return tokens >= LONG_PROMPT_TOKENS && inputLimit <= MATTERS_TIMES * tokens
  }

  /** The fewest tokens that a count can come to. */
  leastOf({ prompt }: InputSize): number {
    return Math.ceil(prompt.safe / MOST_TIMES)
  }

  /** Asks a model server; undefined where none answers in time with something that can be. */
  async count(exchange: Exchange, services: CountingServices, size: InputSize): Promise<InputSize | undefined> {
    const { model, principal, endpoint, body } = exchange
    if (!model || !principal || !body) throw new Error('prompts are counted behind authoriseModel')
    const least = this.leastOf(size)
    const most = size.prompt.safe * MOST_TIMES
    const prompt = { model, team: principal.team, endpoint, fields: body.fields, least, most }
    const counted = await this.counts.count(prompt, services.pool.usable(model))
    return counted && { ...counted, source: 'exact', prompt: size.prompt }
  }

  /** A model server says how many tokens the prompt had: learns from it. */
  settled({ model, principal, input, prompts }: Exchange, actual: number): void {
    // Of several prompts, some servers count one.
    if (!input || !model || !principal || prompts > 1) return
    this.error.observe(model.id, input.source, input.tokens, actual)
    this.learned.learn(model.id, principal.team, input.prompt, actual)
    const { server, tokens } = input
    const tolerated = Math.max(TOLERATED_TOKENS, actual * TOLERATED_PART)
    if (server && Math.abs(tokens - actual) > tolerated) this.counts.disagreed(model, server)
  }
}
