import type { Span } from '../../../support/spans.ts'
import type { Row } from '../labelled.ts'
import { assignment, bare, type Carrier, labelled, sent } from './carriers.ts'
import { noiseLine } from './noise.ts'
import { personalValue } from './personal.ts'
import { Random } from './random.ts'
import { secretValue, urlCredentials } from './secrets.ts'

const SEED = 20_261_124
const TEXTS = 1500

/** Texts with personal data and secrets in lines of all kinds, between lines that look alike and are nothing. */
export function syntheticRows(seed = SEED): Row[] {
  const random = new Random(seed)
  return Array.from({ length: TEXTS }, (_, index) => {
    let text = ''
    const spans: Span[] = []
    for (let lines = random.int(1, 5); lines > 0; lines--) {
      if (random.next() < 0.4) {
        text += `${noiseLine(random)}\n`
        continue
      }
      const { before, value, after, type } = valueLine(random)
      const start = text.length + before.length
      spans.push({ type, start, end: start + value.length })
      text += `${before}${value}${after}\n`
    }
    return { id: `synthetic-${index}`, text, spans }
  })
}

/** Texts with nothing to find. */
export function syntheticNoise(seed = SEED + 1): Row[] {
  const random = new Random(seed)
  return Array.from({ length: TEXTS }, (_, index) => ({
    id: `noise-${index}`,
    text: Array.from({ length: random.int(1, 4) }, () => noiseLine(random)).join('\n'),
    spans: [],
  }))
}

function valueLine(random: Random): Carrier & { value: string; type: string } {
  const kind = random.next()
  if (kind < 0.55) {
    const { type, text: value, labels, needsLabel } = personalValue(random)
    const carrier = needsLabel || random.next() < 0.5 ? labelled(random, random.pick(labels)) : bare(random)
    return { ...carrier, value, type }
  }
  if (kind < 0.6) {
    const { before, text, after } = urlCredentials(random)
    return { before, value: text, after, type: 'SECRET' }
  }
  const { type, text: value, name, needsLabel } = secretValue(random)
  const carrier = needsLabel || random.next() < 0.6 ? assignment(random, name) : sent(random)
  return { ...carrier, value, type }
}
