import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { byGroup, compileSide, type GuardSide } from '../src/guard/policy.ts'
import { BUILT_IN_RULES } from '../src/guard/recognisers/index.ts'
import { label } from '../src/guard/replacement.ts'
import type { RuleDefinition } from '../src/guard/rule.ts'
import { compileRules, type RuleSet } from '../src/guard/rule-set.ts'
import { Scanner, scanText } from '../src/guard/scanner.ts'
import { HOSTILE_KINDS, hostileText } from '../test/support/hostile-texts.ts'

/** What of the guard grows with something that others choose: the text, the rules, the number of streams. */

const SIZE = 100_000
const OWN_RULES = 1000
const TERMS = 10_000
const STREAMS = 10_000

/** Compiles the built-in rules as a gateway does when it starts; to be called first, so that nothing is warm. */
export function coldStart(): { readonly side: GuardSide; readonly milliseconds: number } {
  const before = performance.now()
  const result = compileSide(byGroup(BUILT_IN_RULES, { pii: 'redact', secrets: 'redact' }))
  if (!result.ok) throw new Error(JSON.stringify(result.faults))
  // The screen is made with the first text.
  if (result.side.enforced) scanText(result.side.enforced, 'x', () => '')
  return { side: result.side, milliseconds: performance.now() - before }
}

/** Nanoseconds of processor time for a character, the least of some rounds; each round has a text of its own. */
function perCharacter(rules: RuleSet, textOf: (round: number) => string): number {
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < 6; round++) {
    const text = textOf(round)
    const before = process.cpuUsage()
    scanText(rules, text, ({ rule }) => label(rule))
    const { user, system } = process.cpuUsage(before)
    if (round > 0) least = Math.min(least, ((user + system) * 1000) / text.length)
  }
  return least
}

function show(name: string, nanoseconds: number): void {
  console.log(
    `${name.padEnd(36)} ${nanoseconds.toFixed(1).padStart(8)} ns a character ${(1000 / nanoseconds).toFixed(1).padStart(8)} MB/s`,
  )
}

function custom(name: string, more: Partial<RuleDefinition>): RuleDefinition {
  return {
    name,
    group: 'custom',
    description: '',
    notAfter: '\\w',
    notBefore: '\\w',
    examples: [],
    counterExamples: [],
    ...more,
  }
}

/** Rules as companies write them: a prefix each, and a number in some form. */
function ownRules(): RuleDefinition[] {
  const forms = ['-\\d{4,8}', '[ -]?\\d{6}', '/\\d{2}/[A-Z]{3}', '_[a-z0-9]{12}', '\\d{3}-\\d{3}']
  return Array.from({ length: OWN_RULES }, (_, at) => {
    const prefix = String.fromCharCode(65 + (at % 26), 65 + (Math.floor(at / 26) % 26), 65 + ((at * 7) % 26))
    return custom(`OWN_${at}`, { pattern: `${prefix}${forms[at % forms.length]}` })
  })
}

/** Names of two words, of some twelve characters. */
function terms(): string[] {
  const syllables = [
    'ka',
    'lo',
    'mi',
    'ner',
    'tus',
    'vel',
    'bor',
    'dan',
    'fi',
    'gro',
    'hel',
    'jun',
    'pra',
    'ster',
    'wic',
    'zo',
  ]
  const syllable = (at: number) => syllables[at % syllables.length] ?? ''
  return Array.from(
    { length: TERMS },
    (_, at) => `${syllable(at)}${syllable(at >> 4)}${syllable(at >> 8)} ${syllable(at >> 12)}${syllable(at * 7)}`,
  )
}

function compiled(rules: readonly RuleDefinition[]): { readonly rules: RuleSet; readonly milliseconds: number } {
  const before = performance.now()
  const result = compileRules(rules)
  if (!result.ok) throw new Error(JSON.stringify(result.faults))
  scanText(result.ruleSet, 'x', () => '')
  return { rules: result.ruleSet, milliseconds: performance.now() - before }
}

/** Bytes of the heap that one stream in the middle of a word holds. */
function bytesOfStream(rules: RuleSet, prose: string): number {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  const used = () => {
    if (typeof collect === 'function') collect()
    return process.memoryUsage().heapUsed
  }
  const open = () =>
    Array.from({ length: STREAMS }, (_, at) => {
      const scanner = new Scanner(rules, ({ rule }) => label(rule))
      for (let from = 0; from < 600 + (at % 60); from += 4) scanner.push(prose.slice(from, from + 4))
      return scanner
    })
  open()
  const before = used()
  const scanners = open()
  const bytes = (used() - before) / scanners.length
  return scanners.every(({ heldLength }) => heldLength < 1024) ? bytes : Number.NaN
}

/** Prints all of it. */
export function printFigures({ side, milliseconds }: ReturnType<typeof coldStart>, prose: string): void {
  const rules = side.enforced
  if (!rules) return
  console.log('\nhostile texts')
  const costs = HOSTILE_KINDS.map(kind => ({
    kind,
    cost: perCharacter(rules, round => hostileText(kind, SIZE, round + 1)),
  }))
  for (const { kind, cost } of costs) show(kind, cost)
  const worst = costs.reduce((one, other) => (other.cost > one.cost ? other : one))
  console.log('\nfigures')
  const text = prose.repeat(Math.ceil((4 * SIZE) / prose.length))
  const plain = perCharacter(rules, () => text)
  show(`prose, ${rules.rules.length} rules`, plain)
  show(`worst of the above: ${worst.kind}`, worst.cost)
  const own = compiled([...ownRules(), ...BUILT_IN_RULES])
  show(
    `prose, ${OWN_RULES} own rules more`,
    perCharacter(own.rules, () => text),
  )
  const dictionary = compiled([custom('TERM', { terms: terms() })])
  const both = compiled([custom('TERM', { terms: terms() }), ...BUILT_IN_RULES])
  show(
    `prose, a dictionary of ${TERMS} terms more`,
    perCharacter(both.rules, () => text),
  )
  show(
    'its terms',
    perCharacter(both.rules, round =>
      terms()
        .slice(round * 1000)
        .join(', ')
        .slice(0, SIZE),
    ),
  )
  console.log(`${'compilation of the built-in rules, cold'.padEnd(40)} ${milliseconds.toFixed(0).padStart(4)} ms`)
  console.log(`${`of ${OWN_RULES} own rules more`.padEnd(40)} ${own.milliseconds.toFixed(0).padStart(4)} ms`)
  console.log(`${`of the dictionary`.padEnd(40)} ${dictionary.milliseconds.toFixed(0).padStart(4)} ms`)
  console.log(`${'memory of a stream'.padEnd(40)} ${bytesOfStream(rules, text).toFixed(0).padStart(4)} bytes`)
}
