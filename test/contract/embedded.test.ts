import { describe } from 'vitest'
import { createEmbeddedStore } from '../../adapters/embedded/state-store.ts'
import { testStateStore } from './state-store.contract.ts'

describe('embedded state store', () => {
  testStateStore(async () => {
    let time = 1_790_000_000_123
    const store = createEmbeddedStore({ now: () => time, monotonic: () => time - 1_790_000_000_000 })
    return {
      stores: [store, store, store, store],
      now: async () => time,
      pass: async ms => void (time += Math.ceil(ms)),
      stop: () => store.close(),
    }
  })
})
