import { readFileSync } from 'node:fs'
import { Validator } from '@seriousme/openapi-schema-validator'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { openApiDocument } from '../../../src/admin/openapi.ts'
import { type AdminRoute, granted, route } from '../../../src/admin/route.ts'
import { ROUTES } from '../../../src/admin/routes.ts'

const document = openApiDocument(ROUTES)

test('the document is valid OpenAPI 3.1', async () => {
  const validator = new Validator()
  const result = await validator.validate(structuredClone(document))
  expect(result.errors ?? []).toEqual([])
  expect(result.valid).toBe(true)
  expect(validator.version).toBe('3.1')
})

test('the committed document is that of this code', () => {
  const committed = readFileSync(new URL('../../../docs/reference/admin-openapi.json', import.meta.url), 'utf8')
  expect(JSON.parse(committed)).toEqual(JSON.parse(JSON.stringify(document)))
})

test('operations have names of their own, and each says what it takes', () => {
  const names = ROUTES.map(({ action }) => action)
  expect(new Set(names).size).toBe(names.length)
  const paths = document['paths'] as Record<string, Record<string, { parameters: { name: string; in: string }[] }>>
  for (const [path, operations] of Object.entries(paths)) {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    for (const { parameters } of Object.values(operations)) {
      expect(parameters.filter(one => one.in === 'path').map(({ name }) => name)).toEqual(inPath)
    }
  }
})

test('a check of the input is in the document', () => {
  const probe: AdminRoute = route({
    method: 'POST',
    path: '/admin/probe/:id',
    scopes: ['audit:read'],
    action: 'probe',
    summary: 'A probe',
    params: v.strictObject({ id: v.pipe(v.string(), v.regex(/^\d+$/)) }),
    query: v.strictObject({ depth: v.exactOptional(v.pipe(v.string(), v.description('How deep.'))) }),
    body: v.strictObject({ name: v.pipe(v.string(), v.maxLength(7)) }),
    answer: v.strictObject({ done: v.boolean() }),
    status: 200,
    changes: true,
    run: async () => granted({ done: true }),
  })
  expect(openApiDocument([probe])['paths']).toMatchObject({
    '/admin/probe/{id}': {
      post: {
        operationId: 'probe',
        security: [{ bearer: ['audit:read'] }],
        parameters: [
          { name: 'id', in: 'path', required: true, schema: { pattern: '^\\d+$' } },
          { name: 'depth', in: 'query', required: false, description: 'How deep.' },
        ],
        requestBody: {
          content: {
            'application/json': {
              schema: { properties: { name: { maxLength: 7 } }, required: ['name'], additionalProperties: false },
            },
          },
        },
      },
    },
  })
})
