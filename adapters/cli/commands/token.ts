import type { Command } from 'commander'
import { registerTokenInspect } from './token-inspect.ts'
import { registerTokenList } from './token-list.ts'
import { registerTokenMint } from './token-mint.ts'
import { registerTokenRevoke } from './token-revoke.ts'

/** `sallyport token`: mint, inspect, list, revoke. */
export function registerToken(program: Command): void {
  const token = program.command('token').description('make, look at and revoke service tokens')
  registerTokenMint(token)
  registerTokenInspect(token)
  registerTokenList(token)
  registerTokenRevoke(token)
}
