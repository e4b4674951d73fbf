import type { Check } from './check.ts'

/** Runs checks one after the other and prints one JSON line each: for runtimes that the test runner does not run on. */
export async function runChecks(checks: readonly Check[]): Promise<void> {
  for (const { name, run } of checks) {
    let fault: string | undefined
    try {
      await run()
    } catch (error) {
      fault = error instanceof Error ? `${error.message}\n${error.stack}` : String(error)
    }
    console.log(JSON.stringify({ name, fault }))
  }
}
