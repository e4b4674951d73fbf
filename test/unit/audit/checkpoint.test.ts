import { createPublicKey, verify as verifyEd25519 } from 'node:crypto'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { makeKey } from '../../../adapters/cli/key-files.ts'
import { type Checkpoint, readCheckpoint, signCheckpoint, splitNotes } from '../../../src/audit/checkpoint.ts'
import { Checkpointer } from '../../../src/audit/checkpointer.ts'
import {
  createNoteSigner,
  createNoteVerifier,
  type NoteSigner,
  type NoteVerifier,
  openNote,
  verifierKey,
} from '../../../src/audit/signed-note.ts'
import type { CheckpointPlace } from '../../../src/ports/checkpoint-place.ts'

const ORIGIN = 'example.com/audit'
const CHECKPOINT: Checkpoint = { origin: ORIGIN, seq: 42, hash: 'ab'.repeat(32), time: '2026-11-24T10:00:00.000Z' }

let signer: NoteSigner
let verifier: NoteVerifier
let stranger: NoteVerifier

beforeAll(async () => {
  const [own, other] = [await makeKey('EdDSA', 0), await makeKey('EdDSA', 0)]
  const created = [
    await createNoteSigner(own.privateKey, ORIGIN),
    await createNoteVerifier(own.publicKey),
    await createNoteVerifier(other.publicKey),
  ] as const
  if (!created[0].ok || !created[1].ok || !created[2].ok) throw new Error('keys')
  signer = created[0].key
  verifier = created[1].key
  stranger = created[2].key
})

describe('a checkpoint', () => {
  it('is a signed note in the form of tlog-checkpoint, which others can check without us', async () => {
    const note = await signCheckpoint(signer, CHECKPOINT)
    const [text = '', signatures = ''] = note.split(/(?<=\n)\n/)
    expect(text.split('\n').slice(0, 3)).toEqual([ORIGIN, '42', Buffer.from('ab'.repeat(32), 'hex').toString('base64')])
    const [dash, name, encoded = ''] = signatures.trimEnd().split(' ')
    expect([dash, name]).toEqual(['—', ORIGIN])
    // The verifier's key says all that is needed: its name, the id of the key, and the key behind a byte for Ed25519.
    const [, keyId, key = ''] = /^[^+]+\+([0-9a-f]{8})\+(.+)$/.exec(await verifierKey(verifier, ORIGIN)) ?? []
    const signature = Buffer.from(encoded, 'base64')
    expect(signature.subarray(0, 4).toString('hex')).toBe(keyId)
    const raw = Buffer.from(key, 'base64')
    expect(raw[0]).toBe(1)
    const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw.subarray(1)])
    const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' })
    expect(verifyEd25519(null, Buffer.from(text), publicKey, signature.subarray(4))).toBe(true)
  })

  it('reads back, and no other key or text does', async () => {
    const note = await signCheckpoint(signer, CHECKPOINT)
    expect(await readCheckpoint(verifier, note)).toEqual({ ok: true, checkpoint: CHECKPOINT })
    expect(await readCheckpoint(stranger, note)).toEqual({ ok: false, reason: 'not signed by this key' })
    const changed = [note.replace('42', '43'), note.replace('2026', '2025'), note.replace('\n42\n', '\n42\n\n')]
    for (const text of changed) expect(await readCheckpoint(verifier, text)).toMatchObject({ ok: false })
    expect(await openNote(verifier, note.replace('42', '43'))).toEqual({ ok: false, reason: 'the signature is wrong' })
    for (const text of ['', 'hello', 'a\n\nb\n', '\n\n', note.trimEnd()])
      expect(await readCheckpoint(verifier, text)).toMatchObject({ ok: false })
  })

  it('stands among signatures of others', async () => {
    const note = await signCheckpoint(signer, CHECKPOINT)
    const cosigned = `${note}— witness.example ${Buffer.alloc(68, 7).toString('base64')}\n`
    expect(await readCheckpoint(verifier, cosigned)).toMatchObject({ ok: true })
    expect(splitNotes(`${cosigned}\n${note}\n${note}${cosigned}`)).toEqual([cosigned, note, note, cosigned])
    expect(splitNotes('')).toEqual([])
    expect(splitNotes(`${note}\nhalf of`)).toEqual([note, 'half of'])
  })

  it('is signed by Ed25519 keys alone', async () => {
    const rsa = (await makeKey('ES256', 0)).privateKey
    for (const jwk of [rsa, null, {}, { kty: 'OKP', crv: 'Ed25519', x: 'AA', d: 'AA' }, 'x']) {
      expect(await createNoteSigner(jwk, ORIGIN)).toMatchObject({ ok: false })
      expect(await createNoteVerifier(jwk)).toMatchObject({ ok: false })
    }
    const { publicKey } = await makeKey('EdDSA', 0)
    expect(await createNoteSigner(publicKey, ORIGIN)).toMatchObject({ ok: false })
  })
})

describe('the checkpointer', () => {
  const head = { seq: 3, hash: 'cd'.repeat(32) }

  function start(places: readonly CheckpointPlace[]) {
    const events: string[] = []
    const counts: Record<string, number> = {}
    const telemetry = {
      log: (_: string, event: string) => events.push(event),
      count: (_: string, labels?: Readonly<Record<string, string>>) => {
        counts[labels?.['result'] ?? ''] = (counts[labels?.['result'] ?? ''] ?? 0) + 1
      },
    }
    const clock = { now: () => 0, monotonic: () => 0 }
    const current = { ...head }
    const options = { head: () => ({ ...current }), signer, places, everyMs: 20, clock, telemetry }
    return { checkpointer: new Checkpointer(options), current, events, counts }
  }

  function place(append: (note: string) => Promise<void>): CheckpointPlace & { notes: string[] } {
    const notes: string[] = []
    return {
      kind: 'file',
      name: 'test',
      notes,
      append: async note => {
        await append(note)
        notes.push(note)
      },
      close: async () => undefined,
    }
  }
  const seqs = async (notes: readonly string[]) =>
    Promise.all(
      notes.map(async note => {
        const read = await readCheckpoint(verifier, note)
        return read.ok ? read.checkpoint.seq : read.reason
      }),
    )

  it('signs at start, when the log has grown, and at the end', async () => {
    const good = place(async () => undefined)
    const { checkpointer, current } = start([good])
    checkpointer.start()
    await vi.waitFor(() => expect(good.notes).toHaveLength(1))
    await new Promise(resolve => setTimeout(resolve, 60))
    expect(good.notes).toHaveLength(1)
    current.seq = 5
    await vi.waitFor(() => expect(good.notes).toHaveLength(2))
    current.seq = 9
    await checkpointer.close()
    expect(await seqs(good.notes)).toEqual([3, 5, 9])
  })

  it('says that a place failed, does not trouble the others, and sends the next', async () => {
    let broken = true
    const bad = place(async () => {
      if (broken) throw new Error('ENOSPC')
    })
    const good = place(async () => undefined)
    const { checkpointer, events, counts } = start([bad, good])
    checkpointer.start()
    await vi.waitFor(() => expect(counts['failed']).toBeGreaterThan(1))
    expect(good.notes).toHaveLength(1)
    expect(new Set(events)).toEqual(new Set(['audit_checkpoint_failed']))
    broken = false
    await vi.waitFor(() => expect(bad.notes).toHaveLength(1))
    await checkpointer.close()
    expect(await seqs(bad.notes)).toEqual([3])
  })

  it('signs nothing of an empty log', async () => {
    const good = place(async () => undefined)
    const { checkpointer, current } = start([good])
    current.seq = 0
    checkpointer.start()
    await checkpointer.close()
    expect(good.notes).toEqual([])
  })
})
