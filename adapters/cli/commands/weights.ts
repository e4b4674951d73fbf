import type { Command } from 'commander'
import { registerWeightsSeal } from './weights-seal.ts'
import { registerWeightsVerify } from './weights-verify.ts'

/** `sallyport weights`: seal, verify. */
export function registerWeights(program: Command): void {
  const weights = program.command('weights').description('seal folders of model files, and verify them')
  registerWeightsSeal(weights)
  registerWeightsVerify(weights)
}
