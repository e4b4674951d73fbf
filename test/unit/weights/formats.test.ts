import { expect, test } from 'vitest'
import { formatOf } from '../../../src/weights/formats.ts'
import { safetensors } from '../../support/zip.ts'

const text = (value: string) => Buffer.from(value, 'latin1')
const format = (name: string, head: Buffer, entries?: readonly string[] | 'unreadable') =>
  formatOf(name, head, head.length, entries)

test.each([
  ['protocol 2 of pickle, whatever its name', 'model.bin', text('\x80\x02}q\x00.'), 'pickle'],
  ['protocol 5', 'weights', text('\x80\x05\x95'), 'pickle'],
  ['protocol 0 that calls a function', 'model.bin', text("cos\nsystem\n(S'id'\ntR."), 'pickle'],
  ['protocol 0 of a dictionary', 'model.bin', text("(dp0\nS'a'\np1\nI1\ns."), 'pickle'],
  ['protocol 0 that makes an instance', 'model.bin', text('(ios\nsystem\n'), 'pickle'],
  ['a name that is always unpickled', 'model.pkl', text('anything'), 'pickle'],
  ['a checkpoint of unknown content', 'model.ckpt', text('anything'), 'pickle'],
  ['a checkpoint that is safetensors', 'model.pt', safetensors(16), 'safetensors'],
  ['safetensors', 'model.safetensors', safetensors(16), 'safetensors'],
  ['safetensors whose length looks like a pickle', 'model.safetensors', safetensors(0x280), 'safetensors'],
  ['the same under a name that is unpickled', 'model.pt', safetensors(0x280), 'pickle'],
  ['a header longer than the file', 'm.bin', safetensors(16).subarray(0, 20), 'other'],
  ['GGUF', 'model.gguf', text('GGUF\x03\0\0\0'), 'gguf'],
  ['GGUF in name alone', 'model.gguf', text('\x80\x04\x95'), 'pickle'],
  ['raw data', 'model.bin', text('\x00\x01\x02\x03'), 'other'],
  ['a protocol that there is not', 'model.bin', text('\x80\x06'), 'other'],
  ['configuration', 'config.json', text('{"a": 1}'), 'other'],
  ['an empty file', 'empty.bin', text(''), 'other'],
])('%s', (_, name, head, expected) => {
  expect(format(name, head)).toBe(expected)
})

test('a ZIP is judged by the names in it', () => {
  const head = text('PK\x03\x04')
  expect(format('model.bin', head, ['archive/data.pkl', 'archive/data/0'])).toBe('zip-pickle')
  expect(format('a.npz', head, ['x.npy'])).toBe('other')
  expect(format('model.pt', head, ['code/model.py'])).toBe('zip-pickle')
  expect(format('model.bin', head, 'unreadable')).toBe('zip-pickle')
})
