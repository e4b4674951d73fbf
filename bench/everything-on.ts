/** High enough never to refuse: they are there to be counted. */
const AMPLE = 1_000_000_000

/** Quotas of every kind in Redis. Tokens, guards and the audit log are on by default. */
export const everythingOn = (redisUrl: string) => ({
  state: redisUrl,
  quotas: [
    { name: 'team-minute', per: ['team'], requests: AMPLE, tokens: AMPLE, window: '1m' },
    { name: 'app-hour', per: ['team', 'app'], tokens: AMPLE, window: '1h' },
    { name: 'model-day', per: ['model'], tokens: AMPLE, window: '1d' },
    { name: 'team-busy', per: ['team'], concurrent: 10_000 },
  ],
})
