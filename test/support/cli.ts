import { fileURLToPath } from 'node:url'
import { type Completed, runProcess } from './process.ts'

const ENTRY = fileURLToPath(new URL('../../adapters/cli/main.ts', import.meta.url))
/** What the surroundings must not bring in. */
const CLEAN = {
  PORT: undefined,
  REDIS_URL: undefined,
  SALLYPORT_CONFIG: undefined,
  SALLYPORT_UPSTREAM_CLIENT: undefined,
  INFERENCE_TIMEOUT_MS: undefined,
  PROMPT_HMAC_SECRET: undefined,
  FORCE_COLOR: undefined,
}

/** Runs a command from its sources to its end, whatever its exit status. */
export function run(
  cwd: string,
  args: readonly string[],
  env: Record<string, string> = {},
  input?: string,
): Promise<Completed> {
  return runProcess(process.execPath, [ENTRY, ...args], {
    cwd,
    env: { ...CLEAN, ...env },
    ...(input !== undefined && { input }),
  })
}
