import { conformance } from './conformance.ts'

conformance('bun')
