import type { Command } from 'commander'
import { registerGuardCalibrate } from './guard-calibrate.ts'
import { registerGuardRules } from './guard-rules.ts'
import { registerGuardScan } from './guard-scan.ts'

/** `sallyport guard`: scan, rules, calibrate. */
export function registerGuard(program: Command): void {
  const guard = program.command('guard').description('try the guard on text, and list its rules')
  registerGuardScan(guard)
  registerGuardRules(guard)
  registerGuardCalibrate(guard)
}
