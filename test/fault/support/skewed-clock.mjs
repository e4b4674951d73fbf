// Preloaded into a gateway: its wall clock goes wrong by so many milliseconds.
const skew = Number(process.env.TEST_CLOCK_SKEW_MS)
const { now } = Date
Date.now = () => now() + skew
