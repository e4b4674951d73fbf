import { describe, expect, it } from 'vitest'
import { createSnippet } from '../../../src/audit/snippet.ts'

function snippetOf(pieces: string[], limit?: number): string {
  const snippet = createSnippet(limit)
  for (const piece of pieces) snippet.add(piece)
  return snippet.text()
}

describe('the output snippet', () => {
  it('is the beginning of the answer, at most 200 units', () => {
    expect(snippetOf([])).toBe('')
    expect(snippetOf(['Hel', '', 'lo'])).toBe('Hello')
    expect(snippetOf(['a'.repeat(150), 'b'.repeat(150), 'c'])).toBe('a'.repeat(150) + 'b'.repeat(50))
    expect(snippetOf(['x'.repeat(1_000_000)])).toHaveLength(200)
  })

  it('does not cut a surrogate pair at its end', () => {
    expect(snippetOf([`${'a'.repeat(199)}🚪`])).toBe('a'.repeat(199))
    expect(snippetOf([`${'a'.repeat(198)}🚪b`])).toBe(`${'a'.repeat(198)}🚪`)
  })

  it('joins a pair that comes in two pieces, and drops a half that stays alone', () => {
    expect(snippetOf(['a\ud83d', '\udeaab'])).toBe('a🚪b')
    expect(snippetOf(['a\ud83d'])).toBe('a')
    expect(snippetOf(['a\ud83d', 'b'])).toBe('a\ufffdb')
    expect(snippetOf(['abc\ud83d', '\udeaa'], 4)).toBe('abc')
  })

  it('can be read while it grows', () => {
    const snippet = createSnippet(10)
    snippet.add('a\ud83d')
    expect(snippet.text()).toBe('a')
    snippet.add('\udeaa')
    expect(snippet.text()).toBe('a🚪')
  })
})
