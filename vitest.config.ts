import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // Every folder under test/, so that a new one is never left out in silence.
    include: ['test/**/*.test.ts'],
    // Node 26 differs least from what is tested: `npm run test:runtimes` runs all of them.
    exclude: ['test/data/**', ...(process.env.SALLYPORT_RUNTIMES === 'all' ? [] : ['test/conformance/node26.test.ts'])],
    // More than cores: most of the time, tests wait for deadlines and for the programs that they start.
    maxWorkers: 3,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
    allowOnly: false,
    // Some tests measure deadlines, and a shared machine may stand still for one of them. Three times in a row is a fault.
    retry: process.env.CI ? 2 : 0,
    coverage: { provider: 'v8', include: ['src/**/*.ts', 'adapters/**/*.ts'], reporter: ['text-summary', 'html'] },
  },
})
