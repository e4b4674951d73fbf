import { Random } from '../../pii/synthetic/random.ts'
import { ACCESS_BENIGN, ACCESS_WORDS, THEFT_TEMPLATES, VERDICT_TEMPLATES } from './access-game.ts'
import { ATTACK_TEMPLATES, ATTACK_WORDS, QUESTIONS } from './attacks.ts'
import { BARE_TEMPLATES, BARE_WORDS } from './bare-answers.ts'
import { BENIGN_TEMPLATES, BENIGN_WORDS, INSERTED } from './benign.ts'
import { DIALOGUE_TEMPLATES, DIALOGUE_WORDS } from './dialogue.ts'
import { CARRIERS, DOCUMENT_WORDS, INDIRECT_TEMPLATES, INDIRECT_WORDS } from './documents.ts'
import { expand, type Grammar, styled } from './grammar.ts'
import { TONGUES } from './multilingual.ts'
import { SHARED, TASKS } from './shared.ts'

export interface MadeText {
  readonly source: string
  readonly label: 0 | 1
  readonly text: string
}

const WORDS: Grammar = {
  ...SHARED,
  ...TASKS,
  ...QUESTIONS,
  ...DOCUMENT_WORDS,
  ...ATTACK_WORDS,
  ...INDIRECT_WORDS,
  ...BENIGN_WORDS,
  ...ACCESS_WORDS,
  ...BARE_WORDS,
  ...DIALOGUE_WORDS,
}

/** Texts made of templates: the same ones for a seed. */
export function synthetic(seed: number, scale = 1): MadeText[] {
  const random = new Random(seed)
  const made: MadeText[] = []
  const add = (source: string, label: 0 | 1, count: number, make: () => string) => {
    const texts = new Set<string>()
    for (let tries = 0; texts.size < count * scale && tries < 4 * count * scale; tries++) texts.add(make())
    for (const text of texts) made.push({ source: `made:${source}`, label, text })
  }
  const from = (templates: readonly string[]) => expand(random, WORDS, random.pick(templates))
  for (const [name, templates] of Object.entries(ATTACK_TEMPLATES)) {
    add(name, 1, name === 'persona' || name === 'tokens' ? 250 : 450, () => styled(random, from(templates)))
  }
  const inside = (what: string) => from(CARRIERS).replace('@@', () => what)
  add('indirect', 1, 1500, () => inside(from(INDIRECT_TEMPLATES)))
  add('documents', 0, 1500, () => inside(from(INSERTED)))
  for (const [name, templates] of Object.entries(BENIGN_TEMPLATES)) {
    add(name, 0, name === 'security' ? 500 : 900, () =>
      random.next() < 0.8 ? from(templates) : styled(random, from(templates)),
    )
  }
  add('tongues', 1, 800, () => {
    const { overrides, goals, benign } = random.pick(TONGUES)
    const attack = `${random.pick(overrides)} ${random.pick(goals)}`
    return styled(
      random,
      random.next() < 0.3 ? `${random.pick(benign)} ${attack}` : random.next() < 0.3 ? random.pick(overrides) : attack,
    )
  })
  add('tongues', 0, 600, () => {
    const { benign } = random.pick(TONGUES)
    return random.next() < 0.5 ? random.pick(benign) : `${random.pick(benign)} ${random.pick(benign)}`
  })
  add('verdict', 1, 1500, () => styled(random, from(VERDICT_TEMPLATES)))
  add('theft', 1, 900, () => styled(random, from(THEFT_TEMPLATES)))
  add('access', 0, 1500, () => (random.next() < 0.8 ? from(ACCESS_BENIGN) : styled(random, from(ACCESS_BENIGN))))
  add('bare', 0, 900, () => (random.next() < 0.8 ? from(BARE_TEMPLATES) : styled(random, from(BARE_TEMPLATES))))
  add('dialogue', 0, 1500, () =>
    random.next() < 0.8 ? from(DIALOGUE_TEMPLATES) : styled(random, from(DIALOGUE_TEMPLATES)),
  )
  return made
}
