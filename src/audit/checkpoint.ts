import { type NoteSigner, type NoteVerifier, openNote, signNote } from './signed-note.ts'

/** What a log's holder has signed: its record `seq` has this hash, and so has all before it. */
export interface Checkpoint {
  /** Names the log. */
  readonly origin: string
  readonly seq: number
  /** 64 hex digits. */
  readonly hash: string
  /** When it was signed, as ISO 8601. */
  readonly time: string
}

/** Says that what stands where a Merkle tree's root would is the head of a chain. */
const CHAIN_LINE = 'sallyport hash chain: size is the seq of the last record, root its SHA-256'
const TIME_PREFIX = 'time '
const SEQ = /^[1-9]\d{0,15}$/

/**
 * A checkpoint as a signed note, in the form of C2SP's tlog-checkpoint: origin, size, root in base64, and two extension
 * lines. Our log is a chain, not a Merkle tree: its size is the last `seq`, its root the last hash.
 */
export function signCheckpoint(signer: NoteSigner, { origin, seq, hash, time }: Checkpoint): Promise<string> {
  const lines = [origin, String(seq), base64OfHex(hash), CHAIN_LINE, TIME_PREFIX + time]
  return signNote(signer, lines.map(line => `${line}\n`).join(''))
}

export type CheckpointResult =
  | { readonly ok: true; readonly checkpoint: Checkpoint }
  | { readonly ok: false; readonly reason: string }

/** Reads a note and proves that the key has signed it. */
export async function readCheckpoint(verifier: NoteVerifier, note: string): Promise<CheckpointResult> {
  const opened = await openNote(verifier, note)
  if (!opened.ok) return opened
  const [origin = '', seq = '', root = '', ...extensions] = opened.text.split('\n')
  const hash = hexOfBase64(root)
  if (origin === '' || !SEQ.test(seq) || hash === undefined) return { ok: false, reason: 'not a checkpoint' }
  if (!extensions.includes(CHAIN_LINE)) return { ok: false, reason: 'not a checkpoint of an audit log' }
  const time = extensions.find(line => line.startsWith(TIME_PREFIX))?.slice(TIME_PREFIX.length) ?? ''
  return { ok: true, checkpoint: { origin, seq: Number(seq), hash, time } }
}

/** Cuts a file of notes, one after the other, into notes. A signature line ends one unless another follows it. */
export function splitNotes(text: string): string[] {
  const notes: string[] = []
  let note = ''
  let isSigned = false
  for (const line of text.split(/(?<=\n)/)) {
    const isSignature = line.startsWith('— ')
    if (isSigned && !isSignature) {
      notes.push(note)
      note = ''
      // An empty line between notes.
      if (line === '\n') {
        isSigned = false
        continue
      }
    }
    note += line
    isSigned = isSignature
  }
  if (note.trim() !== '') notes.push(note)
  return notes
}

export function base64OfHex(hex: string): string {
  return btoa((hex.match(/../g) ?? []).map(byte => String.fromCharCode(Number.parseInt(byte, 16))).join(''))
}

function hexOfBase64(text: string): string | undefined {
  if (!/^[A-Za-z0-9+/]{43}=$/.test(text)) return undefined
  return Array.from(atob(text), character => character.charCodeAt(0).toString(16).padStart(2, '0')).join('')
}
