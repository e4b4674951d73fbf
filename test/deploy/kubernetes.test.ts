import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { sallyport, tempDir } from '../support/index.ts'
import { faultsOf, type KubernetesObject, objectsIn } from '../support/kubernetes.ts'

const FOLDER = resolve(import.meta.dirname, '../../deploy/kubernetes')
const OBJECTS = objectsIn(FOLDER)

const ofKind = (...kinds: string[]) => OBJECTS.filter(({ kind }) => kinds.includes(kind))
const nameOf = ({ kind, metadata }: KubernetesObject) => `${kind} ${metadata.name}`
const named = (kind: string, name: string) => {
  const found = OBJECTS.find(object => nameOf(object) === `${kind} ${name}`)
  if (!found) throw new Error(`there is no ${kind} ${name}`)
  return found
}

const WORKLOADS = ofKind('StatefulSet', 'Deployment')
const templates = WORKLOADS.map(({ spec }) => spec.template)
const containersOf = (pod: { containers: object[]; initContainers?: object[] }) => [
  ...pod.containers,
  ...(pod.initContainers ?? []),
]

describe('the schemas that Kubernetes publishes', () => {
  test.each(OBJECTS.map(object => [nameOf(object), object] as const))('accept %s', async (_, object) => {
    expect(await faultsOf(object)).toEqual([])
  })

  test('and they find a wrong value, a field that does not exist and a kind that does not', async () => {
    const gateway = named('StatefulSet', 'sallyport')
    const changed = (change: (copy: { kind: string; spec?: KubernetesObject['spec'] }) => void) => {
      const copy = structuredClone(gateway)
      change(copy)
      return faultsOf(copy)
    }
    expect(await changed(({ spec }) => (spec.template.spec.containers[0].ports[0].containerPort = 'x'))).toMatchObject([
      expect.stringContaining('containerPort'),
    ])
    expect(await changed(({ spec }) => (spec.template.spec.securityContext.runAsNonroot = true))).toEqual([
      '/spec/template/spec/securityContext/runAsNonroot: no such field',
    ])
    expect(await changed(copy => (copy.kind = 'Statefulset'))).toEqual(['there is no Statefulset in apps/v1'])
  })
})

test('kustomize is given every file, and the images that the pods name', () => {
  const { resources, images } = parse(readFileSync(join(FOLDER, 'kustomization.yaml'), 'utf8'))
  expect(
    (resources as string[])
      .flatMap(file => objectsIn(FOLDER, file))
      .map(nameOf)
      .sort(),
  ).toEqual(OBJECTS.map(nameOf).sort())
  const untagged = templates
    .flatMap(({ spec }) => containersOf(spec))
    .map(container => (container as { image: string }).image)
    .filter(image => !/:[\w.-]+$/.test(image))
  expect(new Set(untagged)).toEqual(new Set((images as { name: string }[]).map(({ name }) => name)))
})

test.each(WORKLOADS.map(object => [nameOf(object), object] as const))('%s runs with no rights', (_, { spec }) => {
  const pod = spec.template.spec
  expect(pod).toMatchObject({
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  })
  expect(pod.securityContext.runAsUser).toBeGreaterThan(0)
  for (const container of containersOf(pod))
    expect(container).toMatchObject({
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      },
      resources: { requests: {}, limits: { memory: expect.any(String) } },
    })
  for (const container of pod.containers) expect(container).toMatchObject({ livenessProbe: {}, readinessProbe: {} })
})

describe('names lead somewhere', () => {
  const podsWith = (labels: Record<string, string>) =>
    templates.filter(({ metadata }) => Object.entries(labels).every(([key, value]) => metadata.labels[key] === value))
  const portsOf = (template: { spec: { containers: { ports: { name: string; containerPort: number }[] }[] } }) =>
    template.spec.containers.flatMap(({ ports }) => ports)

  test('of services: to pods, and to ports that these have', () => {
    for (const { spec } of ofKind('Service')) {
      const [pod, ...others] = podsWith(spec.selector)
      expect(others).toEqual([])
      for (const { targetPort } of spec.ports) expect(portsOf(pod).map(({ name }) => name)).toContain(targetPort)
    }
  })

  test('of what scales and protects', () => {
    const [hpa, pdb] = [named('HorizontalPodAutoscaler', 'sallyport'), named('PodDisruptionBudget', 'sallyport')]
    expect(named(hpa.spec.scaleTargetRef.kind, hpa.spec.scaleTargetRef.name).spec.replicas).toBeUndefined()
    expect(podsWith(pdb.spec.selector.matchLabels)).toHaveLength(1)
  })

  test('of policies: all is denied, and each pod has its own', () => {
    const policies = ofKind('NetworkPolicy')
    expect(named('NetworkPolicy', 'default-deny').spec).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] })
    expect(named('NetworkPolicy', 'model-server').spec.egress).toBeUndefined()
    for (const { spec } of policies.filter(({ metadata }) => metadata.name !== 'default-deny')) {
      const [pod] = podsWith(spec.podSelector.matchLabels)
      for (const { ports } of spec.ingress)
        for (const { port } of ports) expect(portsOf(pod).map(({ name }) => name)).toContain(port)
      // The gateway may go to pods of this namespace on the ports that they serve.
      for (const { to, ports } of spec.egress ?? [])
        for (const { podSelector, namespaceSelector } of to) {
          if (namespaceSelector) continue
          const [target] = podsWith(podSelector.matchLabels)
          expect(portsOf(target).map(({ containerPort }) => containerPort)).toEqual([ports[0].port])
        }
    }
  })

  test('of probes: to ports of their container', () => {
    for (const { startupProbe, livenessProbe, readinessProbe, ports } of templates.flatMap(
      ({ spec }) => spec.containers,
    ))
      for (const probe of [startupProbe, livenessProbe, readinessProbe].filter(Boolean))
        expect(ports.map(({ name }: { name: string }) => name)).toContain((probe.httpGet ?? probe.tcpSocket).port)
  })

  test('of hosts in the configuration: to services', () => {
    const { state, models } = parse(named('ConfigMap', 'sallyport').data?.['sallyport.yaml'] ?? '')
    const services = ofKind('Service').map(({ metadata }) => metadata.name)
    for (const url of [state, models[0].upstreams[0].url])
      expect(services).toContain(new URL(url.replace(/\$\{.*?\}/, 'x')).hostname)
  })
})

test('the ConfigMap is a configuration that `sallyport config check` accepts, in full', async () => {
  const dir = tempDir()
  mkdirSync(join(dir, 'etc'))
  writeFileSync(join(dir, 'etc/sallyport.yaml'), named('ConfigMap', 'sallyport').data?.['sallyport.yaml'] ?? '')
  const { code, stdout, stderr } = await sallyport(['config', 'check', join(dir, 'etc/sallyport.yaml')], {
    cwd: dir,
    env: { REDIS_PASSWORD: '0f1e' },
  })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  // Nothing but that the certificate is not here.
  expect(stdout.match(/warning.*/g)).toEqual([expect.stringContaining('tls.crt: there is no such file')])
  expect(stdout).not.toContain('not enforced')
})
