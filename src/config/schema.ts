export type { Config } from './config.ts'
