import { PhraseTrie } from './phrase-trie.ts'
import { endsSentence, wordCodes } from './word-codes.ts'

/** What no word is without: a letter of ASCII, or anything beyond it. */
const LETTER = /[A-Za-z\u0080-\uffff]/

/** Words that say what a number is. */
export interface Phrases {
  readonly list: readonly string[]
  /** Their group in the trie of all phrases of built-in rules. */
  readonly group: number
  /** All of them, over the words of a text (`wordsOf`): literal alternatives, so that nothing in it can run back. */
  readonly all: RegExp
  /** Those that the trie does not know: of other scripts. */
  readonly others: RegExp | undefined
}

const TRIE = new PhraseTrie()
const NO_GROUP = -1

/** From this code point on (Thai, Hangul, Han, kana …) words are not parted by spaces. */
const FIRST_UNSPACED = 0x0e00

/** Words at most between a label and its value: `passport number is now X`. */
const MAX_LABEL_GAP = 5

/** Ends of clauses, which end a label's reach, and the end of a line, which does so unless the value follows at once. */
const CLAUSE = '\u00b6'
const LINE = '\u00a7'

/**
 * Phrases from lists with commas between them. A phrase is one or more words, with or without accents; `*` at its end stands
 * for any ending (`steuer*`). Phrases in scripts that do not part their words count wherever they stand.
 */
export function phrases(...lists: readonly string[]): Phrases {
  const group = TRIE.group()
  const list = phrasesIn(lists)
  const all = list.map(normal)
  if (!all.every(phrase => LETTER.test(phrase))) throw new Error('a phrase without a letter')
  const others = all.filter(phrase => {
    const prefix = phrase.endsWith('*')
    return !TRIE.add(group, prefix ? phrase.slice(0, -1) : phrase, prefix)
  })
  return { list, group, all: anyOf(all), others: others.length === 0 ? undefined : anyOf(others) }
}

/** The same for phrases that come and go with a configuration: the trie, which is for good, does not know them. */
export function passingPhrases(...lists: readonly string[]): Phrases {
  const list = phrasesIn(lists)
  const all = anyOf(list.map(normal))
  return { list, group: NO_GROUP, all, others: all }
}

function phrasesIn(lists: readonly string[]): string[] {
  return lists.flatMap(list => list.split(',')).map(phrase => phrase.trim())
}

function normal(phrase: string): string {
  return plain(phrase.toLowerCase())
}

function anyOf(phrases: readonly string[]): RegExp {
  return new RegExp(phrases.map(formOf).join('|'), 'g')
}

function formOf(phrase: string): string {
  if (phrase.charCodeAt(0) >= FIRST_UNSPACED) return phrase
  return phrase.endsWith('*') ? ` ${phrase.slice(0, -1)}` : ` ${phrase}(?= )`
}

/** Whether one of the phrases stands in `before`, the folded text in front of a match. */
export function isSaid(before: string, said: Phrases): boolean {
  if (said.group === NO_GROUP) return wordsOf(before).search(said.all) >= 0
  read(before)
  return (
    TRIE.has(said.group) || (said.others !== undefined && lastHasOthers && wordsOf(before).search(said.others) >= 0)
  )
}

/**
 * The same of the end of the text: whether one of the phrases that the trie knows begins at `from` or behind. `undefined` where
 * that cannot tell, because of words in other scripts.
 */
export function isSaidFrom(before: string, from: number, said: Phrases): boolean | undefined {
  read(before)
  const start = TRIE.lastStart(said.group)
  if (start >= 0 && (wordCodes.places[start] as number) >= from) return true
  return lastHasOthers && said.others !== undefined ? undefined : false
}

/** As `isSaid`, of a part of the text in front, without forgetting that. */
export function isSaidIn(part: string, said: Phrases): boolean {
  return joined(part).search(said.all) >= 0
}

/**
 * Whether one of the phrases labels what follows `before`: it stands in the same clause, with no number and few words in
 * between, but for one like `match` and a conjunction. For forms that nothing but the label tells from any other number.
 */
export function isLabelled(before: string, labels: Phrases, match = ''): boolean {
  if (!isSaid(before, labels)) return false
  const text = wordsOf(before)
  labels.all.lastIndex = 0
  while (labels.all.test(text)) if (isLabelGap(text.slice(labels.all.lastIndex), match)) return true
  return false
}

/** A value and a conjunction behind it: `AB1234567 and `, with or without a space in front. */
const EARLIER_VALUE = /([^ ]*\d[^ ]*(?: [^ ]*\d[^ ]*){0,3}) (?:and|or|und|oder|et|ou|y|o|e|en|och|og|ja|ve|\u00b6) $/

/** The gap without a value of the same shape as `match`, which the label is for as well: `passports AB1234567 and `. */
function withoutEarlier(gap: string, match: string): string {
  const earlier = EARLIER_VALUE.exec(gap)
  return earlier !== null && shapeOf(earlier[1] ?? '') === shapeOf(match) ? gap.slice(0, earlier.index) : gap
}

/** Digits as 0 and letters as a, all else left out. */
function shapeOf(value: string): string {
  return value
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '')
    .replace(/\d/g, '0')
    .replace(/[a-z]/g, 'a')
}

function isLabelGap(whole: string, match: string): boolean {
  const gap = withoutEarlier(whole, match)
  if (gap.includes(CLAUSE) || /\d/.test(gap)) return false
  const words = gap.split(' ').filter(word => word !== '')
  const lines = words.filter(word => word === LINE).length
  return lines === 0 ? words.length <= MAX_LABEL_GAP : lines === 1 && words.length <= 3
}

let lastBefore = ''
let lastHasOthers = false
let lastWords: string | undefined

/** Has the trie read the text, unless it was the last one: every rule asks about the same. */
function read(before: string): void {
  if (before === lastBefore) return
  lastBefore = before
  lastWords = undefined
  lastHasOthers = wordCodes.read(before)
  TRIE.read(wordCodes.codes, wordCodes.size)
}

/**
 * The words of a text in lower case without accents, a space around each; ends of clauses and lines stay, as words of their
 * own. `passportNumber` is two words.
 */
function wordsOf(before: string): string {
  read(before)
  lastWords ??= joined(before)
  return lastWords
}

function joined(before: string): string {
  return ` ${plain(marked(before)).toLowerCase()} `.replace(/ {2,}/g, ' ')
}

function marked(before: string): string {
  let text = ''
  let lower = false
  for (let at = 0; at < before.length; at++) {
    const code = before.charCodeAt(at)
    if (code >= 65 && code <= 90) {
      text += lower ? ` ${before[at]}` : before[at]
    } else if (code === 0x0a) {
      text += ` ${LINE} `
    } else if (code >= 0x80 || (code >= 97 && code <= 122) || (code >= 48 && code <= 57)) {
      text += before[at]
    } else {
      text += endsClause(before, at) ? ` ${CLAUSE} ` : ' '
    }
    lower = code >= 97 && code <= 122
  }
  return text
}

/** A comma, a semicolon, an exclamation or question mark; a full stop that ends a sentence. */
function endsClause(text: string, at: number): boolean {
  const char = text.charAt(at)
  return char === '.' ? endsSentence(text, at) : ',;!?'.includes(char)
}

/** Without accents and other marks. */
function plain(text: string): string {
  for (let at = 0; at < text.length; at++) {
    if (text.charCodeAt(at) >= 0xaa) return text.normalize('NFKD').replace(/\p{M}/gu, '')
  }
  return text
}
