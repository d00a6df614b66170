/** GroupQueryAttention beside its definition, and beside onnxruntime where that is at hand. */
import { describe, expect, test } from 'vitest'
import { float, int } from '../../helpers/model.js'
import { Random } from '../../helpers/random.js'
import { attend, element, rotary, splitHeads, type Tensor4, tensor4 } from './reference.js'
import { distance, type Fed, fed, hasPeer, type OneNode, runNode } from './run-node.js'

interface Case {
  readonly name: string
  readonly batch?: number
  readonly heads: number
  readonly keyHeads: number
  readonly size: number
  readonly sequence: number
  /** Positions before this call; absent: the node has no past. */
  readonly past?: number
  /** Of the tensor of the past, where it is longer than what is filled. */
  readonly capacity?: number
  /** Total length of each element of the batch, where they differ (prompts padded at the right). */
  readonly totals?: readonly number[]
  readonly rotary?: 'halves' | 'interleaved'
  /** Half of the elements that turn; default: all. */
  readonly half?: number
  readonly positions?: boolean
  readonly packed?: boolean
  readonly window?: number
  readonly softcap?: number
  readonly scale?: number
  readonly bias?: boolean
  readonly sink?: boolean
  readonly smooth?: boolean
  readonly norm?: boolean
  readonly bidirectional?: boolean
  readonly half16?: boolean
  /** onnxruntime has it on other devices only. */
  readonly ownOnly?: boolean
}

const small = { heads: 4, keyHeads: 2, size: 16 }
const CASES: readonly Case[] = [
  { name: 'prompt', ...small, sequence: 5, past: 0 },
  { name: 'prompt of two', ...small, batch: 2, sequence: 5, past: 0 },
  { name: 'prompt without a past', ...small, sequence: 5 },
  { name: 'token', ...small, sequence: 1, past: 6 },
  { name: 'token of two', ...small, batch: 2, sequence: 1, past: 6 },
  { name: 'tokens after a past', ...small, sequence: 3, past: 6 },
  { name: 'one head', heads: 1, keyHeads: 1, size: 16, sequence: 1, past: 70 },
  { name: 'heads of their own', heads: 3, keyHeads: 3, size: 24, sequence: 9, past: 0 },
  { name: 'many heads of one key', heads: 9, keyHeads: 1, size: 40, sequence: 1, past: 33 },
  {
    name: 'the shape of a small language model',
    heads: 9,
    keyHeads: 3,
    size: 64,
    sequence: 70,
    past: 0,
    rotary: 'halves',
  },
  { name: 'the same, token', heads: 9, keyHeads: 3, size: 64, sequence: 1, past: 130, rotary: 'halves' },
  { name: 'rotary', ...small, sequence: 5, past: 0, rotary: 'halves' },
  { name: 'rotary, token', ...small, batch: 2, sequence: 1, past: 6, rotary: 'halves' },
  { name: 'rotary, interleaved', ...small, sequence: 3, past: 4, rotary: 'interleaved' },
  {
    name: 'rotary of a part',
    heads: 2,
    keyHeads: 1,
    size: 32,
    half: 8,
    sequence: 3,
    past: 0,
    rotary: 'halves',
  },
  { name: 'positions', ...small, batch: 2, sequence: 4, past: 0, rotary: 'halves', positions: true },
  {
    name: 'positions of a token',
    ...small,
    batch: 2,
    sequence: 1,
    past: 5,
    rotary: 'halves',
    positions: true,
  },
  { name: 'packed', ...small, sequence: 5, past: 0, packed: true },
  {
    name: 'packed and rotary, token',
    ...small,
    batch: 2,
    sequence: 1,
    past: 5,
    packed: true,
    rotary: 'halves',
  },
  { name: 'window', ...small, sequence: 9, past: 0, window: 3 },
  { name: 'window of a long prompt', ...small, sequence: 150, past: 0, window: 40 },
  { name: 'window, token', ...small, sequence: 1, past: 9, window: 4 },
  { name: 'softcap', ...small, sequence: 5, past: 0, softcap: 0.5 },
  { name: 'scale', ...small, sequence: 5, past: 0, scale: 0.7 },
  { name: 'bias', ...small, sequence: 5, past: 0, bias: true },
  { name: 'bias and softcap, token', ...small, sequence: 1, past: 5, bias: true, softcap: 0.7 },
  { name: 'sinks', ...small, sequence: 5, past: 0, sink: true },
  { name: 'smooth softmax', ...small, sequence: 1, past: 5, smooth: true },
  { name: 'norms of heads', ...small, sequence: 5, past: 0, norm: true, rotary: 'halves', ownOnly: true },
  { name: 'bidirectional', ...small, batch: 2, sequence: 5, past: 0, bidirectional: true },
  {
    name: 'a prompt that is padded',
    ...small,
    batch: 2,
    sequence: 5,
    past: 0,
    totals: [5, 3],
    rotary: 'halves',
  },
  {
    name: 'a past with room',
    ...small,
    batch: 2,
    sequence: 1,
    past: 4,
    capacity: 12,
    totals: [5, 3],
    rotary: 'halves',
  },
  { name: 'float16', ...small, sequence: 5, past: 2, half16: true, rotary: 'halves' },
]

const MOST = 256

function make(c: Case) {
  const batch = c.batch ?? 1
  const random = new Random(c.heads * 100 + c.size + c.sequence)
  const type = c.half16 ? 'float16' : 'float32'
  const some = (dims: readonly number[], symbols?: Fed['symbols'], low = -1, high = 1) =>
    fed(
      type,
      dims,
      Float32Array.from(
        { length: dims.reduce((n, d) => n * d, 1) },
        () => Math.round(random.uniform(low, high) * 256) / 256,
      ),
      symbols,
    )
  const width = c.heads * c.size
  const keyWidth = c.keyHeads * c.size
  const query = some(
    [batch, c.sequence, width + (c.packed ? 2 * keyWidth : 0)],
    ['batch', 'sequence', width + (c.packed ? 2 * keyWidth : 0)],
  )
  const key = some([batch, c.sequence, keyWidth], ['batch', 'sequence', keyWidth])
  const value = some([batch, c.sequence, keyWidth], ['batch', 'sequence', keyWidth])
  const past = c.past ?? 0
  const totals = c.totals ?? Array.from({ length: batch }, () => past + c.sequence)
  const most = Math.max(...totals)
  const pastDims = [batch, c.keyHeads, c.capacity ?? past, c.size]
  const pasts = [0, 1].map(() => some(pastDims, ['batch', c.keyHeads, 'past', c.size]))
  const half = c.half ?? c.size / 2
  const angles = Float32Array.from({ length: MOST * half }, (_, i) => {
    return Math.floor(i / half) / 10000 ** ((i % half) / half)
  })
  const cos = Float32Array.from(angles, Math.cos)
  const sin = Float32Array.from(angles, Math.sin)
  const positions = Array.from({ length: batch * c.sequence }, (_, i) => {
    const b = Math.floor(i / c.sequence)
    // onnxruntime takes those of a first prompt from the first element of the batch.
    return (c.past ?? 0) + (i % c.sequence) + (c.past ? b : 0)
  })
  const bias = some([1, c.heads, c.sequence, most])
  const sink = some([c.heads])
  const norms = [0, 1].map(() => some([c.size], undefined, 0.5, 1.5))
  const inputs: (Fed | undefined)[] = [
    query,
    c.packed ? undefined : key,
    c.packed ? undefined : value,
    ...(c.past === undefined ? [undefined, undefined] : pasts),
    fed(
      'int32',
      [batch],
      totals.map((t) => t - 1),
    ),
    fed('int32', [1], [most]),
    ...(c.rotary ? [fed(type, [MOST, half], cos), fed(type, [MOST, half], sin)] : [undefined, undefined]),
    c.positions ? fed('int64', [batch, c.sequence], positions, ['batch', 'sequence']) : undefined,
    c.bias ? bias : undefined,
    c.sink ? sink : undefined,
    undefined,
    undefined,
    ...(c.norm ? norms : []),
  ]
  while (inputs.length > 0 && inputs[inputs.length - 1] === undefined) inputs.pop()
  const attributes = [int('num_heads', c.heads), int('kv_num_heads', c.keyHeads)]
  if (c.rotary)
    attributes.push(int('do_rotary', 1), int('rotary_interleaved', c.rotary === 'interleaved' ? 1 : 0))
  if (c.window) attributes.push(int('local_window_size', c.window))
  if (c.softcap) attributes.push(float('softcap', c.softcap))
  if (c.scale) attributes.push(float('scale', c.scale))
  if (c.smooth) attributes.push(int('smooth_softmax', 1))
  if (c.bidirectional) attributes.push(int('causal', 0))
  const one: OneNode = { opType: 'GroupQueryAttention', attributes, inputs, outputs: [type, type, type] }
  return {
    c,
    batch,
    totals,
    most,
    query,
    key,
    value,
    pasts,
    half,
    cos,
    sin,
    positions,
    bias,
    sink,
    norms,
    one,
  }
}

type Made = ReturnType<typeof make>

/** [y, present keys, present values]. */
function expected(made: Made): [Float32Array, Tensor4, Tensor4] {
  const { c, batch, totals, most, query, key, value, pasts, half, cos, sin, positions, bias, sink, norms } =
    made
  const groups = c.packed ? c.heads + 2 * c.keyHeads : c.heads
  const all = splitHeads(query.data, [batch, groups, c.sequence, c.size])
  const slice = (from: number, count: number): Tensor4 =>
    tensor4([batch, count, c.sequence, c.size], (b, h, s, i) => element(all, b, from + h, s, i))
  const own = (x: Fed) => splitHeads(x.data, [batch, c.keyHeads, c.sequence, c.size])
  const starts = totals.map((t) => Math.max(0, t - c.sequence))
  const turned = (x: Tensor4, weight: Fed) => {
    const normal = c.norm ? rms(x, weight.data) : x
    if (!c.rotary) return normal
    const position = (b: number, s: number) =>
      c.positions ? (positions[b * c.sequence + s] as number) : (starts[b] as number) + s
    return rotary(normal, position, cos, sin, half, c.rotary === 'interleaved')
  }
  const q = turned(slice(0, c.heads), norms[0] as Fed)
  const k = turned(c.packed ? slice(c.heads, c.keyHeads) : own(key), norms[1] as Fed)
  const v = c.packed ? slice(c.heads + c.keyHeads, c.keyHeads) : own(value)
  const length = Math.max(most, c.past === undefined ? 0 : (c.capacity ?? c.past))
  const present = (x: Tensor4, past: Fed) =>
    tensor4([batch, c.keyHeads, length, c.size], (b, h, s, i) => {
      const start = starts[b] as number
      if (s >= start && s < start + c.sequence) return element(x, b, h, s - start, i)
      if (s >= start) return 0
      const rows = c.capacity ?? c.past ?? 0
      return past.data[((b * c.keyHeads + h) * rows + s) * c.size + i] as number
    })
  const [keys, values] = [present(k, pasts[0] as Fed), present(v, pasts[1] as Fed)]
  const y = attend(q, keys, values, {
    scale: c.scale ?? 1 / Math.sqrt(c.size),
    softcap: c.softcap,
    bias: (b, h, s, j) => {
      const at = (starts[b] as number) + s
      const added = c.bias ? (bias.data[(h * c.sequence + s) * most + j] as number) : 0
      if (c.bidirectional) return j < (totals[b] as number) ? added : Number.NEGATIVE_INFINITY
      return j > at || (c.window && j <= at - c.window) ? Number.NEGATIVE_INFINITY : added
    },
    sink: c.sink ? (h) => sink.data[h] as number : c.smooth ? () => 0 : undefined,
  })
  return [y, keys, values]
}

function rms(x: Tensor4, weight: ArrayLike<number>): Tensor4 {
  const [, , , size] = x.dims
  return tensor4(x.dims, (b, h, s, i) => {
    let squares = 0
    for (let j = 0; j < size; j++) squares += element(x, b, h, s, j) ** 2
    return (element(x, b, h, s, i) / Math.sqrt(squares / size + 1e-6)) * (weight[i] as number)
  })
}

/** Rows of y that are of real tokens: a padded prompt has others, whose answers mean nothing. */
function real({ c, totals }: Made, y: Float32Array): Float32Array {
  const width = c.heads * c.size
  return y.filter((_, i) => {
    const row = Math.floor(i / width)
    const total = totals[Math.floor(row / c.sequence)] as number
    return Math.max(0, total - c.sequence) + (row % c.sequence) < total
  })
}

describe('GroupQueryAttention', () => {
  test.each(CASES)('$name', async (c) => {
    const made = make(c)
    const [y, keys, values] = await runNode(made.one)
    const want = expected(made)
    const near = c.half16 ? 2e-3 : 1e-5
    expect(distance(real(made, y?.data as Float32Array), real(made, want[0]))).toBeLessThan(near)
    expect(keys?.dims).toEqual(want[1].dims)
    expect(distance(keys?.data ?? [], want[1].data)).toBeLessThan(near)
    expect(distance(values?.data ?? [], want[2].data)).toBeLessThan(near)
  })
})

describe('GroupQueryAttention refuses', () => {
  const [first] = CASES as [Case]
  const refuse = async (change: (one: OneNode) => Partial<OneNode>, message: RegExp) => {
    const { one } = make({ ...first, past: 2 })
    await expect(runNode({ ...one, ...change(one) })).rejects.toThrow(message)
  }
  const without = (i: number) => (one: OneNode) => ({
    inputs: one.inputs.map((x, at) => (at === i ? undefined : x)),
  })
  const other = (i: number, x: Fed) => (one: OneNode) => ({
    inputs: one.inputs.map((y, at) => (at === i ? x : y)),
  })
  const attribute =
    (a: ReturnType<typeof int>) =>
    ({ attributes }: OneNode) => ({
      attributes: [...attributes.filter(({ name }) => name !== a.name), a],
    })

  test.each([
    ['a value without a key', without(1), /node "it": expected key and value, or neither/],
    ['half of a past', without(4), /past_key and past_value, or neither/],
    ['no lengths', without(5), /node "it": expected input 5/],
    [
      'heads that do not divide',
      attribute(int('kv_num_heads', 3)),
      /a multiple of kv_num_heads, got 4 and 3/,
    ],
    ['rotary without angles', attribute(int('do_rotary', 1)), /cos_cache and sin_cache \(inputs 7 and 8\)/],
    ['scores as an output', attribute(int('qk_output', 1)), /qk_output of 0 .* got 1/],
    [
      'a key of another size',
      other(1, fed('float32', [1, 5, 30], new Float32Array(150))),
      /input 1 \("in1"\) of sizes \[batch, sequence, 32\], got \[1, 5, 30\]/,
    ],
    ['a past of int8', attribute(int('kv_cache_bit_width', 8)), /kv_cache_bit_width of 0/],
    [
      'a past that is shorter than the lengths say',
      other(5, fed('int32', [1], [9])),
      /has 5 positions: expected 0 to 2/,
    ],
  ] as const)('%s', async (_, change, message) => refuse(change, message))
})

describe.skipIf(!hasPeer)('onnxruntime gives the same', () => {
  test.each(CASES.filter(({ ownOnly }) => !ownOnly))('$name', async (c) => {
    const made = make(c)
    const [ours, theirs] = [await runNode(made.one), await runNode(made.one, 'peer')]
    const near = c.half16 ? 3e-3 : 1e-5
    expect(
      distance(real(made, ours[0]?.data as Float32Array), real(made, theirs[0]?.data as Float32Array)),
    ).toBeLessThan(near)
    for (const i of [1, 2]) {
      expect(ours[i]?.dims).toEqual(theirs[i]?.dims)
      expect(distance(ours[i]?.data ?? [], theirs[i]?.data ?? [])).toBeLessThan(near)
    }
  })
})
