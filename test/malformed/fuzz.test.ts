/**
 * Seeded mutants of model bytes, of the words of a plan and of integer inputs, in a process of its own: whatever they
 * are, they give an output or an error of ours. The process ends with 0 only if it reached its last mutant.
 * OCTAVO_FUZZ_ROUNDS and OCTAVO_FUZZ_SEED make it longer, and another.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { prepare } from '../../lib/compile/model.js'
import { compilePlan } from '../../lib/compile/run/engine.js'
import { bindingPath } from '../../lib/native/load.js'
import { readModel } from '../../lib/onnx/index.js'
import { encodePlan } from '../../lib/plan/encode.js'
import { float, graph, int, ints, node, value } from '../helpers/model.js'
import { type Attempt, bytesOf, constant, feed } from './attempt.js'

const built = fileURLToPath(new URL('../../dist/index.js', import.meta.url))
const rounds = Number(process.env.OCTAVO_FUZZ_ROUNDS ?? 150)
const seed = Number(process.env.OCTAVO_FUZZ_SEED ?? 1)
const zeros = (count: number) => Array.from({ length: count }, (_, i) => (i % 7) / 8)
const x = feed('float32', [2, 6], zeros(12))
const image = feed('float32', [1, 2, 4, 4], zeros(32))
const longs = (...data: number[]) => feed('int64', [data.length], data)

/** Models that together have convolutions, pools, integer steps, data movement, sizes from data, If and Loop. */
const SEEDS: Readonly<Record<string, Attempt>> = {
  convolution: {
    nodes: [
      node('Conv', ['x', 'w'], ['c'], [ints('pads', [1, 1, 1, 1]), ints('strides', [2, 2])]),
      node('Relu', ['c'], ['r']),
      node('MaxPool', ['r'], ['p'], [ints('kernel_shape', [2, 2])]),
      node('Flatten', ['p'], ['f']),
      node('Gemm', ['f', 'm'], ['g'], [int('transB', 1)]),
      node('Softmax', ['g'], ['y'], [int('axis', -1)]),
    ],
    feeds: { x: image },
    initializers: [
      constant('w', 'float32', [4, 2, 3, 3], zeros(72)),
      constant('m', 'float32', [3, 4], zeros(12)),
    ],
  },
  integers: {
    nodes: [
      node('QuantizeLinear', ['x', 's', 'z'], ['q']),
      node('DequantizeLinear', ['q', 's', 'z'], ['d']),
      node('DequantizeLinear', ['w', 's', 'z'], ['v']),
      node('MatMul', ['d', 'v'], ['m']),
      node('QuantizeLinear', ['m', 's', 'z'], ['o']),
      node('DequantizeLinear', ['o', 's', 'z'], ['y']),
    ],
    feeds: { x },
    initializers: [
      constant('s', 'float32', [], [0.5]),
      constant('z', 'int8', [], [3]),
      constant(
        'w',
        'int8',
        [6, 4],
        Array.from({ length: 24 }, (_, i) => i - 12),
      ),
    ],
  },
  movement: {
    nodes: [
      node('Transpose', ['x'], ['t'], [ints('perm', [1, 0])]),
      node('Slice', ['t', 's', 'e', 'a', 'k'], ['c']),
      node('Gather', ['c', 'i'], ['g']),
      node('Pad', ['g', 'p'], ['y']),
    ],
    feeds: { x, s: longs(0), e: longs(4), i: longs(0, 1), p: longs(0, 0, 1, 1) },
    initializers: [constant('a', 'int64', [1], [0]), constant('k', 'int64', [1], [1])],
  },
  sizes: {
    nodes: [
      node('Reshape', ['x', 's'], ['r']),
      node('Tile', ['r', 'n'], ['t']),
      node('TopK', ['t', 'k'], ['v', 'i']),
      node('Expand', ['v', 'e'], ['y']),
    ],
    feeds: { x, s: longs(3, 4), n: longs(1, 2), k: longs(2), e: longs(3, 2) },
  },
  division: {
    nodes: [
      node('Div', ['a', 'b'], ['d']),
      node('Mod', ['a', 'b'], ['m']),
      node('Add', ['d', 'm'], ['s']),
      node('Cast', ['s'], ['y'], [int('to', 1)]),
    ],
    feeds: { a: longs(7, -7, 1), b: longs(2, 3, -1) },
  },
  scatter: {
    nodes: [node('ScatterND', ['x', 'i', 'u'], ['s']), node('GatherND', ['s', 'g'], ['y'])],
    feeds: {
      x,
      i: feed('int64', [1, 1], [1]),
      u: feed('float32', [1, 6], zeros(6)),
      g: feed('int64', [2, 2], [0, 1, 1, 5]),
    },
  },
  resize: {
    nodes: [node('Resize', ['x', '', '', 's'], ['y'], [])],
    feeds: { x: image, s: longs(1, 2, 8, 3) },
  },
  control: {
    nodes: [
      node(
        'Loop',
        ['n', 'c', 'x'],
        ['l'],
        [
          graph('body', {
            name: 'body',
            input: [value('i', [], 7), value('on', [], 9), value('v', [2, 6])],
            output: [value('on2', [], 9), value('v2', [2, 6])],
            node: [node('Identity', ['on'], ['on2']), node('Elu', ['v'], ['v2'], [float('alpha', 0.5)])],
          }),
        ],
      ),
      node(
        'If',
        ['c'],
        ['y'],
        [
          graph('then_branch', {
            name: 'a',
            output: [value('p', [2, 6])],
            node: [node('Abs', ['l'], ['p'])],
          }),
          graph('else_branch', {
            name: 'b',
            output: [value('q', [2, 6])],
            node: [node('Neg', ['l'], ['q'])],
          }),
        ],
      ),
    ],
    feeds: { x, n: feed('int64', [], [3]), c: feed('bool', [], [1]) },
  },
}

/** What the child runs: plain JavaScript over the built package. */
function fuzz(
  octavo: typeof import('../../lib/index.js'),
  seeds: readonly {
    name: string
    model: Uint8Array
    words: Int32Array
    buffers: Uint8Array[]
    feeds: [string, string, number[], string[]][]
  }[],
  binding: import('../../lib/native/binding.js').Binding,
  rounds: number,
  first: number,
): Promise<Record<string, number>> {
  let state = first
  const random = (below: number) => {
    // xorshift32
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
  const options = { maxTensorBytes: 1 << 22, maxLoopIterations: 1000, intraOpNumThreads: 1 }
  const limits = { threads: 1, maxTensorBytes: 1 << 22, maxLoopIterations: 1000 }
  const EDGES = [
    0n,
    1n,
    -1n,
    2n,
    127n,
    -128n,
    255n,
    2n ** 31n - 1n,
    -(2n ** 31n),
    2n ** 32n,
    2n ** 62n,
    2n ** 63n - 1n,
    -(2n ** 63n),
  ]
  const counts: Record<string, number> = { gave: 0, refused: 0 }
  const note = (error: unknown, what: string) => {
    counts.refused = (counts.refused ?? 0) + 1
    const { code, nativeCode } = error as { code?: string; nativeCode?: string }
    if (code === 'ERR_INTERNAL' || (code === undefined && nativeCode === undefined)) {
      const { stack } = error as Error
      console.error(`${what}: an error without a code: ${stack ?? String(error)}`)
      counts.unnamed = (counts.unnamed ?? 0) + 1
    }
  }
  const tensors = (seed: (typeof seeds)[number], mutate: boolean) => {
    const integers = seed.feeds.filter(([, type]) => type !== 'float32')
    const chosen = mutate ? integers[random(Math.max(1, integers.length))]?.[0] : undefined
    return seed.feeds.map(([name, type, dims, data]): [string, InstanceType<typeof octavo.Tensor>] => {
      const elements = data.map((v) => (type === 'int64' ? BigInt(v) : Number(v)))
      if (name === chosen) {
        const edge = EDGES[random(EDGES.length)] ?? 0n
        elements[random(elements.length)] = type === 'int64' ? edge : Number(edge & 1n)
      }
      const array = { float32: Float32Array, int64: BigInt64Array, bool: Uint8Array }[
        type
      ] as typeof Float32Array
      return [name, new octavo.Tensor(type as 'float32', array.from(elements as number[]), dims)]
    })
  }
  const runs = async (bytes: Uint8Array, seed: (typeof seeds)[number], mutate: boolean, what: string) => {
    try {
      const session = await octavo.InferenceSession.create(bytes, options)
      try {
        await session.run(Object.fromEntries(tensors(seed, mutate)))
        counts.gave = (counts.gave ?? 0) + 1
      } finally {
        await session.release()
      }
    } catch (error) {
      note(error, what)
    }
  }
  const ofBytes = async (seed: (typeof seeds)[number], round: number) => {
    const bytes = seed.model.slice()
    for (let n = 1 + random(3); n > 0; n--)
      bytes[random(bytes.length)] = random(3) ? random(256) : ([0, 1, 127, 128, 255][random(5)] ?? 0)
    await runs(bytes, seed, false, `${seed.name}, bytes ${round}`)
  }
  const ofWords = async (seed: (typeof seeds)[number], round: number) => {
    const words = seed.words.slice()
    for (let n = 1 + random(2); n > 0; n--) {
      words[random(words.length)] = random(2)
        ? random(16) - 2
        : ([0x7fffffff, -0x80000000, 1 << 20, 65535, -1][random(5)] ?? 0)
    }
    try {
      const model = await binding.load(words, seed.buffers, limits)
      try {
        const feeds = tensors(seed, false).map(([, t]) => t)
        const types = feeds.flatMap(({ type, dims }) => {
          const dtype = { float32: 1, int64: 7, bool: 9 }[type as string] ?? 1
          return [dtype, dims.length, ...dims]
        })
        const data = feeds.map((t) => {
          const { buffer, byteOffset, byteLength } = t.data as Float32Array
          return new Uint8Array(buffer, byteOffset, byteLength)
        })
        await model.run(data, Float64Array.from(types), [0])
        counts.gave = (counts.gave ?? 0) + 1
      } finally {
        model.release()
      }
    } catch (error) {
      note(error, `${seed.name}, words ${round}`)
    }
  }
  const all = async () => {
    for (let round = 0; round < rounds; round++) {
      for (const seed of seeds) {
        await ofBytes(seed, round)
        await ofWords(seed, round)
        await ofWords(seed, round)
        await runs(seed.model, seed, true, `${seed.name}, inputs ${round}`)
      }
    }
    return counts
  }
  return all()
}

test.skipIf(!existsSync(built))(
  'thousands of mutants neither crash nor hang',
  { timeout: 120_000 + 200 * rounds },
  async () => {
    const seeds = await Promise.all(
      Object.entries(SEEDS).map(async ([name, what]) => {
        const model = bytesOf(what)
        const { plan } = compilePlan(await prepare((await readModel(model)).graph))
        const { words, buffers } = encodePlan(plan)
        const feeds = Object.entries(what.feeds ?? {}).map(([n, f]) => [
          n,
          f.type,
          f.dims,
          f.data.map(String),
        ])
        return {
          name,
          model: [...model],
          words: [...words],
          buffers: buffers.map((b) => [...(b as Uint8Array)]),
          feeds,
        }
      }),
    )
    const script = `
    import * as octavo from ${JSON.stringify(built)}
    import { createRequire } from 'node:module'
    const binding = createRequire(${JSON.stringify(built)})(${JSON.stringify(bindingPath())})
    const seeds = ${JSON.stringify(seeds)}.map((s) => ({
      ...s,
      model: Uint8Array.from(s.model),
      words: Int32Array.from(s.words),
      buffers: s.buffers.map((b) => Uint8Array.from(b)),
    }))
    console.log(JSON.stringify(await (${fuzz.toString()})(octavo, seeds, binding, ${rounds}, ${seed})))
  `
    const child = spawnSync(process.execPath, ['--input-type=module', '-'], {
      input: script,
      encoding: 'utf8',
      timeout: 110_000 + 200 * rounds,
      maxBuffer: 1 << 26,
    })
    expect(child.stderr.replace(/^npm .*$/gm, '').slice(0, 4000)).toBe('')
    expect({ status: child.status, signal: child.signal }).toEqual({ status: 0, signal: null })
    const counts = JSON.parse(child.stdout) as Record<string, number>
    expect(counts).not.toHaveProperty('unnamed')
    expect((counts.gave ?? 0) + (counts.refused ?? 0)).toBe(Object.keys(SEEDS).length * 4 * rounds)
  },
)
