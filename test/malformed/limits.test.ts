/** Small models that ask for much: memory, iterations, threads, time. */
import { describe, expect, test } from 'vitest'
import { InferenceSession, Tensor } from '../../lib/index.js'
import { type GraphInit, graph, int, modelBytes, node, value } from '../helpers/model.js'
import { type Attempt, attempt, bytesOf, constant, feed, type Rejected, rejects } from './attempt.js'

const bad = (what: string, attempt: Attempt, message = /culprit|"y"|\by\b/): Rejected => [
  what,
  attempt,
  'ERR_LIMIT',
  message,
]
const scalar = (name: string, n: bigint) => constant(name, 'int64', [], [n])

/** Adds 1 to the input as often as it is told, and as long as `on` holds. */
function loop(trips: bigint, options: Attempt['options'] = {}): Attempt {
  const body = {
    name: 'body',
    input: [value('i', [], 7), value('on', [], 9), value('a', [1])],
    output: [value('on2', [], 9), value('b', [1])],
    node: [node('Identity', ['on'], ['on2']), node('Add', ['a', 'one'], ['b'])],
  }
  return {
    nodes: [node('Loop', ['n', 't', 'x'], ['y'], [graph('body', body)], 'culprit')],
    feeds: { x: feed('float32', [1], [0]) },
    initializers: [scalar('n', trips), constant('t', 'bool', [], [1]), constant('one', 'float32', [1], [1])],
    options,
  }
}

describe('a limit', () => {
  rejects([
    bad('of iterations', loop(2n ** 62n, { maxLoopIterations: 1000 })),
    bad('of a tensor that a run needs', {
      nodes: [node('ConstantOfShape', ['s'], ['y'], [], 'culprit')],
      feeds: { s: feed('int64', [1], [300]) },
      options: { maxTensorBytes: 1024 },
    }),
    bad(
      'of a tensor between',
      {
        nodes: [
          node('Expand', ['x', 's'], ['big'], [], 'culprit'),
          node('ReduceSum', ['big'], ['y'], [int('keepdims', 0)]),
        ],
        feeds: { x: feed('float32', [1], [1]), s: feed('int64', [1], [300]) },
        options: { maxTensorBytes: 1024 },
      },
      /culprit|big/,
    ),
    bad('of a tensor, by default 2 GiB', {
      nodes: [node('ConstantOfShape', ['s'], ['y'], [], 'culprit')],
      feeds: { s: feed('int64', [1], [2n ** 30n]) },
    }),
    bad(
      'of a constant that would be folded',
      {
        nodes: [node('ConstantOfShape', ['s'], ['big'], [], 'culprit'), node('Add', ['big', 'x'], ['y'])],
        feeds: { x: feed('float32', [1], [1]) },
        initializers: [constant('s', 'int64', [1], [2n ** 33n])],
      },
      /culprit|big/,
    ),
  ])

  test('that is not reached does not matter', async () => {
    expect((await attempt(loop(1000n, { maxLoopIterations: 1000 }))).data).toEqual([1000])
  })
})

test('a loop without end stops when it is told to', async () => {
  const session = await InferenceSession.create(bytesOf(loop(2n ** 62n, { maxLoopIterations: 2 ** 52 })), {
    maxLoopIterations: 2 ** 52,
  })
  const controller = new AbortController()
  const run = session.run({ x: new Tensor('float32', [0], [1]) }, { signal: controller.signal })
  setTimeout(() => controller.abort(), 50)
  await expect(run).rejects.toMatchObject({ name: 'AbortError' })
  // The session still works.
  const after = session.run({ x: new Tensor('float32', [0], [1]) }, { signal: AbortSignal.timeout(20) })
  await expect(after).rejects.toMatchObject({ name: 'TimeoutError' })
  await session.release()
})

test.each([1, 2, 64, 5000, 2 ** 31 - 1])('%i threads: as many as there is use for', async (threads) => {
  const what: Attempt = {
    nodes: [node('Relu', ['x'], ['y'])],
    feeds: { x: feed('float32', [2], [-1, 1]) },
    options: { intraOpNumThreads: threads },
  }
  expect((await attempt(what)).data).toEqual([0, 1])
})

test('a chain of 20,000 nodes is no stack overflow', async () => {
  const count = 20_000
  const nodes = Array.from({ length: count }, (_, i) =>
    node(i % 2 ? 'Neg' : 'Abs', [i === 0 ? 'x' : `v${i}`], [i === count - 1 ? 'y' : `v${i + 1}`]),
  )
  const { data } = await attempt({ nodes, feeds: { x: feed('float32', [1], [-3]) } })
  expect(data).toEqual([-3])
})

test('functions that double stop at the limit of nodes', async () => {
  const functions = Array.from({ length: 40 }, (_, i) => ({
    domain: 'f',
    name: `F${i}`,
    input: ['a'],
    output: ['b'],
    opsetImport: [{ domain: '', version: 21n }],
    node:
      i === 0
        ? [node('Relu', ['a'], ['b'])]
        : [node(`F${i - 1}`, ['a'], ['t'], [], '', 'f'), node(`F${i - 1}`, ['t'], ['b'], [], '', 'f')],
  }))
  const g: GraphInit = {
    name: 'g',
    input: [value('x', [2])],
    output: [value('y', [2])],
    node: [node('F39', ['x'], ['y'], [], '', 'f')],
  }
  await expect(InferenceSession.create(modelBytes(g, 21, { functions }))).rejects.toMatchObject({
    code: 'ERR_LIMIT',
  })
})

test('a creation stops when it is told to', async () => {
  const nodes = Array.from({ length: 20_000 }, (_, i) =>
    node('Abs', [i === 0 ? 'x' : `v${i}`], [i === 19_999 ? 'y' : `v${i + 1}`]),
  )
  const bytes = bytesOf({ nodes, feeds: { x: feed('float32', [1], [0]) } })
  const creation = InferenceSession.create(bytes, { signal: AbortSignal.timeout(5) })
  await expect(creation).rejects.toMatchObject({ name: 'TimeoutError' })
  await expect(InferenceSession.create(bytes, { signal: AbortSignal.abort() })).rejects.toMatchObject({
    name: 'AbortError',
  })
})
