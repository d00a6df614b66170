/** MultiHeadAttention beside its definition, and beside onnxruntime where that is at hand. */
import { describe, expect, test } from 'vitest'
import { float, int } from '../../helpers/model.js'
import { Random } from '../../helpers/random.js'
import { attend, element, splitHeads, type Tensor4, tensor4 } from './reference.js'
import { distance, type Fed, fed, hasPeer, type OneNode, runNode } from './run-node.js'

interface Case {
  readonly name: string
  readonly batch?: number
  readonly heads?: number
  readonly size?: number
  readonly valueSize?: number
  readonly queries: number
  /** Of this call; default: as queries. */
  readonly keys?: number
  readonly past?: number
  readonly presents?: boolean
  readonly bias?: boolean
  readonly mask?: 'lengths' | 'keys' | 'all'
  readonly filter?: number
  readonly added?: readonly [number, number]
  readonly causal?: boolean
  readonly scale?: number
  /** Keys and values [batch, heads, keys, size]. */
  readonly byHead?: boolean
  readonly packing?: 'key' | 'all'
  /** onnxruntime does something else, or has it on other devices only. */
  readonly ownOnly?: boolean
}

const CASES: readonly Case[] = [
  { name: 'queries, keys and values', queries: 5 },
  { name: 'a long sequence', queries: 75, batch: 2 },
  { name: 'keys of an encoder', queries: 3, keys: 9 },
  { name: 'keys of an encoder by heads', queries: 3, keys: 9, byHead: true },
  { name: 'values of another size', queries: 5, valueSize: 12 },
  { name: 'biases', queries: 5, batch: 2, bias: true },
  { name: 'biases, values of another size', queries: 5, bias: true, valueSize: 12 },
  { name: 'a scale', queries: 5, scale: 0.3 },
  { name: 'lengths', queries: 5, batch: 2, mask: 'lengths' },
  { name: 'a mask of keys', queries: 5, batch: 2, mask: 'keys' },
  { name: 'a mask of keys, softly', queries: 5, batch: 2, mask: 'keys', filter: -2 },
  { name: 'a mask of queries and keys', queries: 5, batch: 2, mask: 'all' },
  { name: 'a bias of scores', queries: 5, batch: 2, added: [2, 3] },
  { name: 'a bias of scores for all', queries: 5, batch: 2, added: [1, 1] },
  { name: 'a bias of scores for every head and a mask', queries: 5, batch: 2, added: [1, 3], mask: 'keys' },
  { name: 'a past', queries: 1, past: 6, presents: true },
  { name: 'a past of length 0', queries: 4, past: 0, presents: true },
  { name: 'a past and a mask of all keys', queries: 2, batch: 2, past: 6, presents: true, mask: 'keys' },
  // onnxruntime leaves the past out where nobody asks for the present.
  { name: 'a past, only read', queries: 1, past: 6, bias: true, ownOnly: true },
  { name: 'presents without a past', queries: 4, presents: true },
  { name: 'causal', queries: 12, causal: true },
  { name: 'causal after a past', queries: 3, past: 4, presents: true, causal: true },
  { name: 'causal and a mask', queries: 5, batch: 2, causal: true, mask: 'keys' },
  { name: 'packed keys and values', queries: 4, keys: 7, packing: 'key', ownOnly: true },
  { name: 'all packed', queries: 9, packing: 'all', bias: true, ownOnly: true },
]

function make(c: Case) {
  const { batch = 1, heads = 3, size = 16, queries, keys = queries } = c
  const valueSize = c.valueSize ?? size
  const random = new Random(queries * 10 + keys)
  const some = (dims: readonly number[], symbols?: Fed['symbols']) =>
    fed(
      'float32',
      dims,
      Float32Array.from({ length: dims.reduce((n, d) => n * d, 1) }, () => random.uniform(-1, 1)),
      symbols,
    )
  const q = some([batch, queries, heads * size], ['batch', 'queries', heads * size])
  const inner = c.byHead ? (n: number) => [batch, heads, keys, n] : (n: number) => [batch, keys, heads * n]
  const open = c.byHead
    ? (n: number) => ['batch', heads, 'keys', n]
    : (n: number) => ['batch', 'keys', heads * n]
  const k = some(inner(size), open(size))
  const v = some(inner(valueSize), open(valueSize))
  const past = c.past ?? 0
  const total = past + keys
  const pasts = [size, valueSize].map((n) => some([batch, heads, past, n], ['batch', heads, 'past', n]))
  const bias = some([heads * (2 * size + valueSize)])
  const lengths = Array.from({ length: batch }, (_, b) => Math.max(1, total - 2 * b - 1))
  const flags = (count: number) =>
    Array.from({ length: count }, (_, i) => (i % total === 0 || random.chance(0.6) ? 1 : 0))
  const maskDims =
    c.mask === 'lengths' ? [batch] : c.mask === 'keys' ? [batch, total] : [batch, queries, total]
  const mask = fed(
    'int32',
    maskDims,
    c.mask === 'lengths' ? lengths : flags(maskDims.reduce((n, d) => n * d, 1)),
  )
  const added = c.added && some([...c.added, queries, total])
  const packed =
    c.packing === 'all'
      ? some([batch, queries, heads, 3, size], ['batch', 'queries', heads, 3, size])
      : some([batch, keys, heads, 2, size], ['batch', 'keys', heads, 2, size])
  const inputs: (Fed | undefined)[] = [
    c.packing === 'all' ? packed : q,
    c.packing === 'all' ? undefined : c.packing ? packed : k,
    c.packing ? undefined : v,
    c.bias ? bias : undefined,
    c.mask ? mask : undefined,
    added,
    ...(c.past === undefined ? [] : pasts),
  ]
  while (inputs[inputs.length - 1] === undefined) inputs.pop()
  const attributes = [int('num_heads', heads)]
  if (c.scale) attributes.push(float('scale', c.scale))
  if (c.causal) attributes.push(int('unidirectional', 1))
  if (c.filter) attributes.push(float('mask_filter_value', c.filter))
  const one: OneNode = {
    opType: 'MultiHeadAttention',
    attributes,
    inputs,
    outputs: c.presents ? ['float32', 'float32', 'float32'] : ['float32'],
  }
  return {
    c,
    batch,
    heads,
    size,
    valueSize,
    queries,
    keys,
    past,
    total,
    q,
    k,
    v,
    pasts,
    bias,
    mask,
    added,
    packed,
    one,
  }
}

type Made = ReturnType<typeof make>

/** q, k or v with its bias. */
function part(made: Made, which: 0 | 1 | 2): Tensor4 {
  const { c, batch, heads, size, valueSize, queries, keys, q, k, v, bias, packed } = made
  const width = which === 2 ? valueSize : size
  const rows = which === 0 ? queries : keys
  const dims = [batch, heads, rows, width] as const
  const from = { 0: q, 1: k, 2: v }[which]
  const pieces = c.packing === 'all' ? 3 : c.packing && which > 0 ? 2 : 0
  const plain =
    pieces > 0
      ? tensor4(dims, (b, h, s, i) => {
          const piece = which - (3 - pieces)
          return packed.data[(((b * rows + s) * heads + h) * pieces + piece) * size + i] as number
        })
      : which > 0 && c.byHead
        ? tensor4(dims, (b, h, s, i) => from.data[((b * heads + h) * rows + s) * width + i] as number)
        : splitHeads(from.data, dims)
  if (!c.bias) return plain
  return tensor4(dims, (b, h, s, i) => {
    return element(plain, b, h, s, i) + (bias.data[which * heads * size + h * width + i] as number)
  })
}

function expected(made: Made): [Float32Array, Tensor4, Tensor4] {
  const { c, batch, heads, queries, past, total, pasts, mask, added } = made
  const present = (x: Tensor4, before: Fed) =>
    tensor4([batch, heads, total, x.dims[3]], (b, h, s, i) =>
      s < past
        ? (before.data[((b * heads + h) * past + s) * x.dims[3] + i] as number)
        : element(x, b, h, s - past, i),
    )
  const [k, v] = [present(part(made, 1), pasts[0] as Fed), present(part(made, 2), pasts[1] as Fed)]
  const shown = (b: number, s: number, j: number) => {
    if (c.mask === 'lengths') return j < (mask.data[b] as number)
    return mask.data[c.mask === 'keys' ? b * total + j : (b * queries + s) * total + j] !== 0
  }
  const y = attend(part(made, 0), k, v, {
    scale: c.scale ?? 1 / Math.sqrt(made.size),
    bias: (b, h, s, j) => {
      if (c.causal && j > past + s) return Number.NEGATIVE_INFINITY
      const filter = c.mask && !shown(b, s, j) ? (c.filter ?? -10000) : 0
      if (!added || !c.added) return filter
      const [batches, ofHeads] = c.added
      const row = ((batches === 1 ? 0 : b) * ofHeads + (ofHeads === 1 ? 0 : h)) * queries + s
      return filter + (added.data[row * total + j] as number)
    },
  })
  return [y, k, v]
}

describe('MultiHeadAttention', () => {
  test.each(CASES)('$name', async (c) => {
    const made = make(c)
    const [y, keys, values] = await runNode(made.one)
    const want = expected(made)
    expect(y?.dims).toEqual([made.batch, made.queries, made.heads * made.valueSize])
    expect(distance(y?.data ?? [], want[0])).toBeLessThan(1e-5)
    if (!c.presents) return
    expect(keys?.dims).toEqual(want[1].dims)
    expect(distance(keys?.data ?? [], want[1].data)).toBeLessThan(1e-6)
    expect(distance(values?.data ?? [], want[2].data)).toBeLessThan(1e-6)
  })
})

describe('MultiHeadAttention refuses', () => {
  const [first] = CASES as [Case]
  const { one } = make(first)
  const other = (i: number, x: Fed | undefined): Partial<OneNode> => {
    const inputs = [...one.inputs]
    inputs[i] = x
    return { inputs }
  }
  test.each([
    ['no heads', { attributes: [int('num_heads', 0)] }, /num_heads of 1 or more, got 0/],
    [
      'heads that do not divide',
      { attributes: [int('num_heads', 5)] },
      /a last axis of query that 5 heads divide/,
    ],
    ['a key without a value', other(2, undefined), /a value \(input 2\) beside a key/],
    [
      'half of a past',
      other(6, fed('float32', [1, 3, 2, 16], new Float32Array(96))),
      /past_key and past_value, or neither/,
    ],
    [
      'a bias of another size',
      other(3, fed('float32', [7], new Float32Array(7))),
      /a bias \(input 3\) of sizes \[144\].* got \[7\]/,
    ],
    [
      'a mask of another size',
      other(4, fed('int32', [1, 4], [1, 1, 1, 1])),
      /in4 has sizes \[1, 1, 1, 5\], its storage \[1, 4\]/,
    ],
    ['beams', other(9, fed('int32', [1, 1, 5], [0, 0, 0, 0, 0])), /no input 9 .* beams/],
  ] as const)('%s', async (_, change, message) => {
    await expect(runNode({ ...one, ...change })).rejects.toThrow(message)
  })
})

describe.skipIf(!hasPeer)('onnxruntime gives the same', () => {
  test.each(CASES.filter(({ ownOnly }) => !ownOnly))('$name', async (c) => {
    const { one } = make(c)
    const [ours, theirs] = [await runNode(one), await runNode(one, 'peer')]
    ours.forEach((made, i) => {
      expect(made?.dims).toEqual(theirs[i]?.dims)
      expect(distance(made?.data ?? [], theirs[i]?.data ?? [])).toBeLessThan(1e-5)
    })
  })
})
