import type { Command } from 'commander'
import { registerTokenInspect } from './token-inspect.ts'
import { registerTokenMint } from './token-mint.ts'

/** `sallyport token`: mint, inspect. */
export function registerToken(program: Command): void {
  const token = program.command('token').description('make and look at service tokens')
  registerTokenMint(token)
  registerTokenInspect(token)
}
