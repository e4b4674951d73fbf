import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { ConnectionPool } from '../../../../adapters/node/http1/connection-pool.ts'
import { Exchange } from '../../../../adapters/node/http1/exchange.ts'
import { originOf } from '../../../../adapters/node/http1/open-socket.ts'
import { createNodeUpstream } from '../../../../adapters/node/upstream.ts'
import type { UpstreamFailure, UpstreamFlow } from '../../../../src/ports/upstream.ts'
import { type RawServer, rawServer } from '../../../contract/raw-server.ts'
import { sleep, waitFor } from '../../../support/wait.ts'

const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}'
/** Longer than what an idle connection is trusted for without a look. */
const A_WHILE_MS = 300

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})

async function start(onRequest: (request: string, socket: Socket) => void): Promise<RawServer> {
  const server = await rawServer(onRequest)
  closers.push(() => server.close())
  return server
}

function client() {
  const upstream = createNodeUpstream()
  closers.push(() => upstream.close())
  return upstream
}

/** One call, and what has been told of it. */
function ask(
  upstream: ReturnType<typeof client>,
  url: string,
  { body, on }: { body?: Uint8Array; on?: (event: string, flow: UpstreamFlow) => void } = {},
) {
  const told: { events: string[]; text: string; failure?: UpstreamFailure } = { events: [], text: '' }
  const tell = (event: string) => {
    told.events.push(event)
    on?.(event, flow)
  }
  const flow: UpstreamFlow = upstream.send(
    { method: 'POST', url, headers: {}, ...(body ? { body } : {}) },
    {
      onHead: () => tell('head'),
      onData: chunk => {
        told.text += Buffer.from(chunk).toString('latin1')
        tell('data')
      },
      onEnd: () => tell('end'),
      onFailure: failure => {
        told.failure = failure
        tell('failure')
      },
    },
  )
  const over = waitFor('the end', () => told.events.includes('end') || told.events.includes('failure'))
  return Object.assign(told, { flow, over })
}

describe('a kept connection', () => {
  test.each([
    ['bytes behind a whole answer', `${ANSWER}HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged`],
    ['bytes behind the last chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nx'],
    ['connection: close', `${ANSWER.replace('\r\n', '\r\nconnection: close\r\n')}`],
    ['a server that keeps it for a second only', ANSWER.replace('\r\n', '\r\nKeep-Alive: timeout=1\r\n')],
  ])('is given up: %s', async (_, answer) => {
    const server = await start((_request, socket) => socket.write(answer))
    const upstream = client()
    for (const calls of [1, 2, 3]) {
      const told = ask(upstream, server.origin)
      await told.over
      expect(told).toMatchObject({ events: ['head', 'data', 'end'], text: '{}' })
      expect(server.accepted).toBe(calls)
    }
  })

  test('is given up for bytes that nobody asked for', async () => {
    let gone = 0
    const server = await start((_request, socket) => {
      socket.on('close', () => (gone += 1))
      socket.write(ANSWER)
      setTimeout(() => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged'), 20)
    })
    const upstream = client()
    for (const calls of [1, 2]) {
      const told = ask(upstream, server.origin)
      await told.over
      expect(told.text).toBe('{}')
      await waitFor('the close', () => gone === calls)
    }
  })

  test('that was closed a moment ago is not written to: the request goes to a new one', async () => {
    let last: Socket | undefined
    let requests = 0
    const server = await start((_request, socket) => {
      last = socket
      requests += 1
      socket.write(ANSWER)
    })
    const upstream = client()
    await ask(upstream, server.origin).over
    await sleep(A_WHILE_MS)
    last?.destroy()
    // Sent before the process could have heard of the close.
    const told = ask(upstream, server.origin, { body: Buffer.from('{}') })
    await told.over
    expect(told).toMatchObject({ events: ['head', 'data', 'end'], text: '{}' })
    expect({ requests, accepted: server.accepted }).toEqual({ requests: 2, accepted: 2 })
  })

  test('that waits to be looked at can be cancelled', async () => {
    let requests = 0
    const server = await start((_request, socket) => {
      requests += 1
      socket.write(ANSWER)
    })
    const upstream = client()
    await ask(upstream, server.origin).over
    await sleep(A_WHILE_MS)
    ask(upstream, server.origin).flow.cancel()
    await sleep(50)
    expect(requests).toBe(1)
    await ask(upstream, server.origin).over
    expect(requests).toBe(2)
  })

  test('is used again by the next call, also from inside onEnd, the last one first', async () => {
    const server = await start((_request, socket) => socket.write(ANSWER))
    const upstream = client()
    let second: ReturnType<typeof ask> | undefined
    const first = ask(upstream, server.origin, {
      on: event => {
        if (event === 'end') second = ask(upstream, server.origin)
      },
    })
    await first.over
    await second?.over
    await Promise.all([ask(upstream, server.origin).over, ask(upstream, server.origin).over])
    expect(server.accepted).toBe(2)
  })

  test('is closed when it has been idle for 4 s', async () => {
    const server = await start((_request, socket) => socket.write(ANSWER))
    const pool = new ConnectionPool(originOf(new URL(server.origin)), () => {})
    let ended = false
    const receiver = { onHead: () => {}, onData: () => {}, onEnd: () => void (ended = true), onFailure: () => {} }
    pool.send(new Exchange(receiver, [Buffer.from('GET / HTTP/1.1\r\n\r\n')], false))
    await waitFor('the end', () => ended)
    pool.sweep(performance.now() + 3900)
    await sleep(30)
    expect(pool.open).toBe(1)
    pool.sweep(performance.now() + 4000)
    await waitFor('the close', () => pool.open === 0)
  })
})

describe('connecting', () => {
  test('by name', async () => {
    const server = await start((_request, socket) => socket.write(ANSWER))
    const told = ask(client(), server.origin.replace('127.0.0.1', 'localhost'))
    await told.over
    expect(told).toMatchObject({ events: ['head', 'data', 'end'], text: '{}' })
  })

  test('has a deadline, over the TLS handshake too', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    closers.push(() => silent.close())
    const origin = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`
    const pool = new ConnectionPool(originOf(new URL(origin)), () => {})
    const failures: UpstreamFailure[] = []
    const receiver = {
      onHead: () => {},
      onData: () => {},
      onEnd: () => {},
      onFailure: (told: UpstreamFailure) => void failures.push(told),
    }
    pool.send(new Exchange(receiver, [Buffer.from('GET / HTTP/1.1\r\n\r\n')], false))
    await sleep(50)
    pool.sweep(performance.now() + 9000)
    await sleep(30)
    expect(failures).toEqual([])
    pool.sweep(performance.now() + 10_000)
    await waitFor('the failure', () => failures.length > 0)
    expect(failures).toEqual([{ kind: 'connect', message: expect.stringMatching(/within 10000 ms \(ETIMEDOUT\)/) }])
    expect(pool.open).toBe(0)
  })

  test.each(['ftp://127.0.0.1/', 'file:///x', 'x'])('to %s is a bug of the caller', url => {
    expect(() => ask(client(), url)).toThrow(TypeError)
  })
})

describe('a request', () => {
  test('with a field that cannot be sent fails, after its flow is returned, and opens no connection', async () => {
    const server = await start(() => {})
    const failures: UpstreamFailure[] = []
    const receiver = {
      onHead: () => {},
      onData: () => {},
      onEnd: () => {},
      onFailure: (told: UpstreamFailure) => void failures.push(told),
    }
    client().send({ method: 'GET', url: server.origin, headers: { a: 'b\r\nc: d' } }, receiver)
    expect(failures).toEqual([])
    await waitFor('the failure', () => failures.length > 0)
    expect(failures).toMatchObject([{ kind: 'protocol' }])
    expect(server.accepted).toBe(0)
  })

  test('of many megabytes arrives whole', async () => {
    let received = 0
    const server = createServer(socket => {
      socket.on('error', () => {})
      socket.on('data', part => {
        received += part.length
        if (received > 8_000_000) socket.write(ANSWER)
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    closers.push(() => server.close())
    const body = new Uint8Array(8_000_000)
    const told = ask(client(), `http://127.0.0.1:${(server.address() as AddressInfo).port}`, { body })
    await told.over
    expect(told.events).toEqual(['head', 'data', 'end'])
  })

  test('that is answered before it was taken leaves no connection to be used again', async () => {
    let accepted = 0
    const sockets: Socket[] = []
    const server = createServer({ pauseOnConnect: true }, socket => {
      accepted += 1
      sockets.push(socket)
      socket.on('error', () => {})
      socket.write(ANSWER)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    closers.push(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    const upstream = client()
    for (const calls of [1, 2]) {
      const body = new Uint8Array(20_000_000)
      const told = ask(upstream, `http://127.0.0.1:${(server.address() as AddressInfo).port}`, { body })
      await told.over
      expect(told).toMatchObject({ events: ['head', 'data', 'end'], text: '{}' })
      expect(accepted).toBe(calls)
    }
  })
})

describe('a pause', () => {
  test.each([
    ['head', ['head']],
    ['data', ['head', 'data']],
  ])('inside on%s keeps the rest of the same read back', async (place, before) => {
    const server = await start((_request, socket) => socket.write(ANSWER))
    const told = ask(client(), server.origin, {
      on: (event, flow) => {
        if (event === place) flow.pause()
      },
    })
    await waitFor('the event', () => told.events.includes(place))
    await sleep(50)
    expect(told.events).toEqual(before)
    told.flow.resume()
    expect(told.events).toEqual(before)
    await told.over
    expect(told).toMatchObject({ events: ['head', 'data', 'end'], text: '{}' })
  })

  test('keeps an end and a failure back, behind the bytes in front of them', async () => {
    for (const [head, last] of [
      ['', 'end'],
      ['content-length: 9\r\n', 'failure'],
    ] as const) {
      const server = await start((_request, socket) => {
        socket.write(`HTTP/1.1 200 OK\r\n${head}\r\na`)
        setTimeout(() => socket.write('b'), 30)
        setTimeout(() => socket.end(), 60)
      })
      const told = ask(client(), server.origin, {
        on: (event, flow) => {
          if (event === 'data') flow.pause()
        },
      })
      await sleep(120)
      expect(told).toMatchObject({ events: ['head', 'data'], text: 'a' })
      told.flow.resume()
      await waitFor('the next part', () => told.text === 'ab')
      await sleep(30)
      expect(told.events).toEqual(['head', 'data', 'data'])
      told.flow.resume()
      await told.over
      expect(told.events.at(-1)).toBe(last)
    }
  })

  test('that ends within the same call changes nothing', async () => {
    const server = await start((_request, socket) => {
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n')
      setTimeout(() => socket.write('1\r\nb\r\n0\r\n\r\n'), 20)
    })
    const told = ask(client(), server.origin, {
      on: (event, flow) => {
        if (event === 'end') return
        flow.pause()
        flow.resume()
      },
    })
    await told.over
    expect(told).toMatchObject({ events: ['head', 'data', 'data', 'end'], text: 'ab' })
  })
})

test('closing waits for the answers in progress, and leaves no connection', async () => {
  let sockets = 0
  const server = await start((request, socket) => {
    sockets += 1
    socket.on('close', () => (sockets -= 1))
    if (request.includes('/quick')) return socket.write(ANSWER)
    return setTimeout(() => socket.write(ANSWER), 100)
  })
  const upstream = createNodeUpstream()
  await ask(upstream, `${server.origin}/quick`).over
  const slow = ask(upstream, `${server.origin}/slow`)
  const idle = ask(upstream, `${server.origin}/quick`)
  await idle.over
  await upstream.close()
  expect(slow.events).toEqual(['head', 'data', 'end'])
  await waitFor('the sockets to close', () => sockets === 0)
  await upstream.close()
})
