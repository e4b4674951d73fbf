import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema'
import type * as v from 'valibot'
import { SCOPES } from '../auth/scopes.ts'
import { CATALOGUE } from '../errors/catalogue.ts'
import { PROBLEM_TYPE } from '../errors/problem.ts'
import type { AdminRoute } from './route.ts'

/** Where the document is served. */
export const OPENAPI_PATH = '/admin/openapi.json'

const REQUEST_ID = { description: 'Names the request, in the audit log too.', schema: { type: 'string' } }

/** The admin API as an OpenAPI 3.1 document, made of the schemas that its input is checked with. */
export function openApiDocument(routes: readonly AdminRoute[]): Record<string, unknown> {
  const paths: Record<string, Record<string, object>> = {}
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) }
  }
  return {
    openapi: '3.1.0',
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    info: {
      title: 'Sallyport admin API',
      // Of this API, not of the program: what is served tells no release.
      version: '1',
      description:
        'Served on the admin listener alone. Every operation names the scopes of which a token needs one; every call is recorded in the audit log.',
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      schemas: { Problem: problemSchema() },
      responses: {
        Problem: {
          description: 'A refusal or failure, as RFC 9457 has it.',
          headers: { 'x-request-id': REQUEST_ID },
          content: { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
    },
  }
}

function operation(route: AdminRoute): object {
  const { action, summary, scopes, params, query, body, answer, status, path, hasPage } = route
  const [tag = ''] = path.slice('/admin/'.length).split('/')
  return {
    operationId: action,
    summary,
    tags: [tag.replace(/\.json$/, '')],
    security: scopes.map(scope => ({ bearer: [scope] })),
    parameters: [...parametersOf('path', params), ...parametersOf('query', query)],
    ...(body && {
      requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body, 'input') } } },
    }),
    responses: {
      [status]: {
        description: 'Done.',
        headers: { 'x-request-id': REQUEST_ID },
        content: {
          'application/json': { schema: schemaOf(answer, 'output') },
          ...(hasPage && { 'text/html': { schema: { type: 'string' } } }),
        },
      },
      default: { $ref: '#/components/responses/Problem' },
    },
  }
}

function parametersOf(where: 'path' | 'query', schema: v.GenericSchema): object[] {
  const { properties = {}, required = [] } = schemaOf(schema, 'input')
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = property as JsonSchema
    return {
      name,
      in: where,
      required: required.includes(name),
      ...(description !== undefined && { description }),
      schema: rest,
    }
  })
}

function schemaOf(schema: v.GenericSchema, typeMode: 'input' | 'output'): JsonSchema {
  const { $schema: _, ...rest } = toJsonSchema(schema, {
    typeMode,
    target: 'draft-2020-12',
    // Checks that JSON Schema cannot express.
    ignoreActions: ['raw_check', 'raw_transform', 'transform'],
    errorMode: 'throw',
  })
  return rest
}

function problemSchema(): object {
  const text = { type: 'string' }
  return {
    type: 'object',
    required: ['type', 'title', 'status', 'code', 'requestId'],
    properties: {
      type: { type: 'string', format: 'uri', description: 'urn:sallyport:error: and the code.' },
      title: text,
      status: { type: 'integer' },
      detail: text,
      code: { enum: Object.keys(CATALOGUE), description: 'Stable.' },
      param: { type: 'string', description: 'The field at fault.' },
      requestId: text,
      model: text,
      results: {
        type: 'array',
        items: { type: 'object' },
        description: 'Of actions on model servers: how it went on each.',
      },
    },
  }
}

/** Scopes with which somebody may read the description of the API: all but that of the data path. */
export const ADMIN_SCOPES = SCOPES.filter(scope => scope !== 'inference')
