import type { Evaluate } from './evaluate.ts'

const MAX_SHOWN = 3

/** Rows 1 to 4. */
export const weightsEvidence: readonly Evaluate[] = [
  () => ({ met: false, evidence: 'People write a threat model; the gateway cannot see it' }),
  ({ weights }) => {
    if (weights.length === 0) return { met: false, evidence: 'No weights are configured (weights)' }
    const bad = weights.filter(({ problems }) => problems.length > 0)
    const evidence = (bad.length > 0 ? bad : weights).map(({ dir, problems, sealed, hashed }) =>
      problems.length > 0
        ? `${dir}: ${problems.slice(0, MAX_SHOWN).join('; ')}${problems.length > MAX_SHOWN ? '; …' : ''}`
        : `${dir}: as sealed on ${sealed} (${hashed ? 'contents hashed' : 'signature, names, sizes and modes; --full hashes contents'})`,
    )
    return { met: bad.length === 0, wrong: bad.length > 0, evidence: evidence.join('. ') }
  },
  () => ({ met: false, evidence: 'The gateway does not see how models are made' }),
  ({ weights }) => {
    const open = weights.filter(({ worldWritable }) => worldWritable).map(({ dir }) => dir)
    if (open.length > 0)
      return { met: false, wrong: true, evidence: `Everybody may write to files in ${open.join(', ')}` }
    return {
      met: false,
      evidence:
        weights.length > 0
          ? 'Nothing is writable for everybody; the policy is people’s'
          : 'No weights are configured (weights)',
    }
  },
]
