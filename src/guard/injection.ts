import { likelihood } from './injection-model.ts'
import { type Families, findPhrases } from './injection-rules.ts'
import { decodedIn, normalise, spelledOut } from './injection-text.ts'
import { atOnce, type Steps } from './turns.ts'

/** What a text shows of prompt injection. */
export interface InjectionScan {
  /** From 0 to 1: the families of phrases and the model, as independent evidence. */
  readonly score: number
  /** Whether the score reaches the threshold. */
  readonly flagged: boolean
  /** The families found, each once, in order of appearance; `model` where that alone is for an injection. */
  readonly rules: readonly string[]
  /** Whether the phrases would not have done without the model. */
  readonly byModel: boolean
}

/** From this score a text counts as an injection, unless the configuration says otherwise. */
export const INJECTION_THRESHOLD = 0.7
/** From here on the model is named among the rules. */
const MODEL_NAMED = 0.5

/** Texts are looked through in pieces of so many units, a millisecond or two each, */
const PIECE = 16_384
/** which overlap by so many: more than a phrase or a window of the model is long. */
const OVERLAP = 1024

/** From 0 to 1, of a normalised text. */
type Model = (normalised: string) => number

/** Looks for prompt injections in a text of any length, in linear time. */
export function scanInjection(text: string, threshold = INJECTION_THRESHOLD, model: Model = likelihood): InjectionScan {
  return atOnce(scanInSteps(text, threshold, model))
}

/** The same, left for a while behind each piece. */
export function* scanInSteps(text: string, threshold: number, model: Model = likelihood): Steps<InjectionScan> {
  const found: Families = new Map()
  let likely = 0
  for (let start = 0; ; ) {
    const end = start + PIECE
    const piece = text.length <= PIECE ? text : text.slice(start, end)
    likely = Math.max(likely, scanPiece(piece, found, model, start > 0))
    if (end >= text.length) break
    start = end - OVERLAP
    yield
  }
  let doubt = 1
  for (const weight of found.values()) doubt *= 1 - weight
  const score = rounded(1 - doubt * (1 - likely))
  const rules = [...found.keys(), ...(likely >= MODEL_NAMED ? ['model'] : [])]
  const flagged = score >= threshold
  return { score, flagged, rules, byModel: flagged && rounded(1 - doubt) < threshold }
}

/** Adds the families of a piece; what the model says of it. */
function scanPiece(piece: string, found: Families, model: Model, continues: boolean): number {
  const normalised = normalise(piece)
  findPhrases(normalised, found, continues)
  const spelled = spelledOut(normalised)
  if (spelled !== null) findPhrases(spelled, found, continues)
  const likely = model(normalised)
  const decoded = decodedIn(piece)
  if (decoded === null) return likely
  const plain = normalise(decoded)
  findPhrases(plain, found)
  return Math.max(likely, model(plain))
}

function rounded(score: number): number {
  return Math.round(score * 1000) / 1000
}
