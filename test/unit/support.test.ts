import { connect } from 'node:net'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'
import { runProcess, scriptedUpstream, startProcess, startRedis, waitFor, within } from '../support/index.ts'

const node = (code: string) => [process.execPath, ['--eval', code]] as const

test('a process is waited for, and its output kept', async () => {
  await using server = await startProcess(...node(`console.log('up'); setInterval(() => {}, 1000)`), { ready: /^up$/m })
  expect(server.stdout()).toBe('up\n')
  expect(await server.stop()).toEqual({ code: null, signal: 'SIGTERM' })
})

test('a process that ends or dawdles before it is ready fails with what it said', async () => {
  const ended = startProcess(...node(`console.error('no such file'); process.exit(3)`), { ready: /up/ })
  await expect(ended).rejects.toThrow(/ended \(3\).*\nno such file/s)
  const dawdling = startProcess(...node(`setInterval(() => {}, 1000)`), { ready: /up/, deadlineMs: 300 })
  await expect(dawdling).rejects.toThrow('ready: not within 300 ms')
  await expect(startProcess('/no/such/program', [], { ready: /up/ })).rejects.toThrow('ENOENT')
})

test('a command runs to its end with the environment and the input asked for', async () => {
  const code = `console.log(process.env.GIVEN, process.env.VITEST); process.stdin.pipe(process.stdout); process.exitCode = 7`
  const done = await runProcess(...node(code), { env: { GIVEN: 'yes', VITEST: undefined }, input: 'read' })
  expect(done).toMatchObject({ code: 7, stdout: 'yes undefined\nread' })
})

test('a paused Redis answers nothing until it is resumed', async () => {
  await using server = await startRedis()
  const redis = new Redis(server.url, { lazyConnect: true, maxRetriesPerRequest: 0 })
  await redis.connect()
  server.pause()
  const reply = redis.ping()
  await expect(within('pong', 200, reply)).rejects.toThrow('pong: not within 200 ms')
  server.resume()
  expect(await reply).toBe('PONG')
  redis.disconnect()
})

test('a script sends exact bytes: half a frame, then a reset', async () => {
  await using upstream = await scriptedUpstream(async script => {
    await script.head()
    await script.event({ n: 1 })
    await script.raw('ff\r\ndata: {"n"')
    await script.sleep(50)
    script.reset()
  })
  const response = await fetch(`${upstream.url}/v1/chat/completions?x=1`, { method: 'POST', body: '{"stream":true}' })
  expect(response.headers.get('content-type')).toBe('text/event-stream')
  let seen = ''
  const reading = (async () => {
    for await (const piece of response.body ?? []) seen += new TextDecoder().decode(piece)
  })()
  await expect(reading).rejects.toThrow('terminated')
  expect(seen).toBe('data: {"n":1}\n\ndata: {"n"')
  expect(upstream.requests).toMatchObject([
    { method: 'POST', path: '/v1/chat/completions?x=1', body: '{"stream":true}' },
  ])
})

test('a script answers several requests on one connection', async () => {
  await using upstream = await scriptedUpstream((script, index) => script.reply(200, { index, ...script.json() }))
  const socket = connect(upstream.port, '127.0.0.1')
  let seen = ''
  socket.setEncoding('utf8').on('data', text => (seen += text))
  for (const index of [0, 1]) {
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n{"a":1}')
    await waitFor('reply', () => seen.endsWith(`\r\n\r\n{"index":${index},"a":1}`))
  }
  socket.destroy()
})

test('a script sees its caller go away, by abort or by half-close', async () => {
  await using upstream = await scriptedUpstream(async script => {
    await script.head()
    await script.stall()
  })
  const abort = new AbortController()
  await fetch(upstream.url, { signal: abort.signal })
  abort.abort()
  await within('abort seen', 1000, upstream.requests[0]?.gone ?? Promise.reject(new Error('no request')))

  const socket = connect(upstream.port, '127.0.0.1', () => socket.end('GET / HTTP/1.1\r\nHost: a\r\n\r\n'))
  const second = await waitFor('second request', () => upstream.requests[1])
  await within('half-close seen', 1000, second.gone)
  socket.destroy()
})
