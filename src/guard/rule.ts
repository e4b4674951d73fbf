/** What a rule guards against; policies switch whole groups. */
export type RuleGroup = 'pii' | 'secrets' | 'custom'

/**
 * One thing the guard recognises.
 *
 * Patterns, boundaries and validators see *folded* text (`fold.ts`): full-width and other Unicode digits and letters as
 * ASCII, odd spaces and dashes as ` ` and `-`, zero-width characters taken out.
 */
export interface RuleDefinition {
  /** Upper-case name, unique: `EMAIL`, `IBAN`. The default replacement is `[NAME_REDACTED]`. */
  readonly name: string
  readonly group: RuleGroup
  /** One line for the reference: what it is, and the source of its form. */
  readonly description: string
  /**
   * The country or region that the form belongs to, one of `LOCALES` (`us`, `uk`, `eu`): rules of one locale are a pack that
   * can be switched together. Absent: the form means the same everywhere.
   */
  readonly locale?: string
  /** Off unless it is switched on by its name: the form is ordinary text too often. Default false. */
  readonly optional?: boolean
  /**
   * The form, in the bounded regular-expression subset of `pattern.ts`: literals, `.`, classes (`[a-z0-9_-]`, `\d`, `\w`,
   * `\s` and their negations), groups `( )` and `(?: )`, `|`, and the repetitions `?`, `{n}`, `{m,n}`. No `*`, `+`, `{n,}`,
   * anchors, look-arounds or back-references. A rule has either this or `terms`.
   */
  readonly pattern?: string
  /**
   * Literal terms in place of a pattern, thousands if need be (`terms.ts`): any of them matches, in either case of its letters
   * unless `caseSensitive`. Excludes `needs` and `tail`; whole words are asked for by `notAfter` and `notBefore`.
   */
  readonly terms?: readonly string[]
  /** Default false: letters match in either case. */
  readonly caseSensitive?: boolean
  /** A class such as `[\w.-]`: no match starts right after such a character. */
  readonly notAfter?: string
  /** A class such as `[\w-]`: no match ends right before such a character. */
  readonly notBefore?: string
  /** A class such as `\d`, for patterns that fit ordinary words: a match holds one such character at least. */
  readonly needs?: string
  /**
   * For forms without a longest match (key blocks, tokens of any length): once `pattern` has matched, everything from its
   * start is certain to be redacted, and the match goes on, unbuffered, while characters are in the class `body`, up to and
   * including the first occurrence of `end` if one is given. Excludes `notBefore` and `validate`.
   */
  readonly tail?: { readonly body: string; readonly end?: string }
  /**
   * Whether a match of the form is the thing itself (checksum, range, context).
   * `match` is the folded match; `before` is up to 64 characters of folded text in front of it.
   * Must be fast, pure, and must not run a backtracking expression over unbounded text.
   */
  readonly validate?: (match: string, before: string) => boolean
  /**
   * What can be said of a place before each match that begins there is looked at: false only where `validate` would be for all
   * of them. Asked once for each place, of the longest `match` with the rule's form, the others being its beginnings. It is
   * what bounds the cost of rules with many ends in texts that nearly match.
   */
  readonly begins?: (match: string, before: string) => boolean
  /** Nothing matches where the 64 characters in front hold no letter: for rules that ask for a word there. Default false. */
  readonly needsWords?: boolean
  /** What `redact` puts in place of a match; default `[NAME_REDACTED]`. */
  readonly replacement?: string
  /** Words in front that `validate` looks for, all or the chief of them: for the reference. `*` stands for any ending. */
  readonly words?: readonly string[]
  /** Texts in which exactly the part between `«` and `»` is found. */
  readonly examples: readonly string[]
  /** Texts in which this rule finds nothing. */
  readonly counterExamples: readonly string[]
}
