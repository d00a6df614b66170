/** Float constants that broadcast to a value, and what they are on the other side of a node that only moves it. */
import type { Dim } from '../graph/expr.js'
import { mul, sameDim } from '../graph/expr.js'
import { type ConstantTensor, intsAttribute, type Node } from '../graph/graph.js'
import { elementCount, floatsOf, tensorOf } from '../graph/tensor.js'

/** Row-major elements; as many sizes as the value has, each 1 or that of the value. */
export interface Spread {
  readonly dims: readonly number[]
  readonly values: Float32Array
}

/** Moved constants are small: vectors per channel, or one element per feature. */
const MAX_ELEMENTS = 2 ** 18

/** A constant as it broadcasts to a value of `shape`; undefined where it has other sizes, or would enlarge the value. */
export function spreadOf(
  constant: ConstantTensor | undefined,
  shape: readonly Dim[] | undefined,
): Spread | undefined {
  if (constant?.dtype !== 'float32' || shape === undefined || constant.dims.length > shape.length)
    return undefined
  const dims = [...Array<number>(shape.length - constant.dims.length).fill(1), ...constant.dims]
  if (elementCount(dims) > MAX_ELEMENTS || !dims.every((d, i) => d === 1 || sameDim(d, shape[i] as Dim)))
    return undefined
  return compact({ dims, values: floatsOf(constant) })
}

export function constantOf({ dims, values }: Spread): ConstantTensor {
  return tensorOf('float32', dims, values)
}

export function mapSpread(spread: Spread, map: (value: number) => number): Spread {
  return { dims: spread.dims, values: spread.values.map(map) }
}

/** The elements along `axis` (one element: as many copies); undefined where another axis has a size of its own. */
export function alongAxis({ dims, values }: Spread, axis: number, size: number): Float32Array | undefined {
  if (!dims.every((d, i) => d === 1 || i === axis)) return undefined
  if (dims[axis] === size) return values
  return values.length === 1 ? new Float32Array(size).fill(values[0] as number) : undefined
}

/** The elements along several axes of the given sizes, row-major, where no other axis has a size of its own. */
export function expandedAlong(
  { dims, values }: Spread,
  axes: readonly number[],
  sizes: readonly number[],
): Spread | undefined {
  if (dims.some((d, i) => d !== 1 && !axes.includes(i))) return undefined
  return expanded({ dims: axes.map((axis) => dims[axis] as number), values }, sizes)
}

/** A vector that broadcasts along `axis` of a value of this rank. */
export function spreadAlong(values: Float32Array, axis: number, rank: number): Spread {
  return { dims: Array.from({ length: rank }, (_, i) => (i === axis ? values.length : 1)), values }
}

const MOVERS = new Set(['Transpose', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze'])

/** Gives out the elements of its first input, in another order or with other sizes. */
export function isMover(node: Node): boolean {
  return node.domain === '' && MOVERS.has(node.opType)
}

/** The constant for the output of a mover, from that for its input. */
export function throughMover(
  spread: Spread,
  node: Node,
  from: readonly Dim[],
  to: readonly Dim[],
): Spread | undefined {
  if (node.opType !== 'Transpose') return reshaped(spread, from, to)
  return transposed(spread, permOf(node, from.length))
}

/** The constant for the input of a mover, from that for its output. */
export function backThroughMover(
  spread: Spread,
  node: Node,
  from: readonly Dim[],
  to: readonly Dim[],
): Spread | undefined {
  if (node.opType !== 'Transpose') return reshaped(spread, to, from)
  const perm = permOf(node, from.length)
  return transposed(
    spread,
    perm.map((_, i) => perm.indexOf(i)),
  )
}

function permOf(node: Node, rank: number): readonly number[] {
  return intsAttribute(node, 'perm') ?? Array.from({ length: rank }, (_, i) => rank - 1 - i)
}

function transposed({ dims, values }: Spread, perm: readonly number[]): Spread {
  const out = perm.map((axis) => dims[axis] as number)
  const strides = stridesOf(dims)
  return { dims: out, values: gathered(values, out, (axis) => strides[perm[axis] as number] as number) }
}

/** Sizes that are the same on both sides, first or last, hold the same axes; between them all axes are one group. */
function reshaped(spread: Spread, from: readonly Dim[], to: readonly Dim[]): Spread | undefined {
  let [start, fromEnd, toEnd] = [0, from.length, to.length]
  const same = (i: number, j: number) => sameDim(from[i] as Dim, to[j] as Dim)
  while (start < fromEnd && start < toEnd && same(start, start)) start++
  while (fromEnd > start && toEnd > start && same(fromEnd - 1, toEnd - 1))
    [fromEnd, toEnd] = [fromEnd - 1, toEnd - 1]
  const [inner, outer] = [from.slice(start, fromEnd), to.slice(start, toEnd)]
  if (!sameDim(product(inner), product(outer))) return undefined
  const varies = spread.dims.slice(start, fromEnd).some((d) => d !== 1)
  const numeric = [...inner, ...outer].every((d): d is number => typeof d === 'number')
  if (varies && !numeric) return undefined
  const [head, tail] = [spread.dims.slice(0, start), spread.dims.slice(fromEnd)]
  const ends = (middle: readonly number[]) => [...head, ...middle, ...tail]
  if (!varies) return { dims: ends(outer.map(() => 1)), values: spread.values }
  const full = expanded(spread, ends(inner as readonly number[]))
  return full && compact({ dims: ends(outer as readonly number[]), values: full.values })
}

function product(dims: readonly Dim[]): Dim {
  return dims.reduce<Dim>(mul, 1)
}

function expanded({ dims, values }: Spread, to: readonly number[]): Spread | undefined {
  if (elementCount(to) > MAX_ELEMENTS) return undefined
  const strides = stridesOf(dims)
  const stride = (axis: number) => (dims[axis] === 1 ? 0 : (strides[axis] as number))
  return { dims: to, values: gathered(values, to, stride) }
}

/** Axes along which nothing changes become 1. */
function compact(spread: Spread): Spread {
  let { dims, values } = spread
  for (let axis = 0; axis < dims.length; axis++) {
    const strides = stridesOf(dims)
    if (dims[axis] === 1 || !isConstantAlong(values, strides[axis] as number, dims[axis] as number)) continue
    const first = dims.map((d, i) => (i === axis ? 1 : d))
    ;[dims, values] = [first, gathered(values, first, (i) => strides[i] as number)]
  }
  return { dims, values }
}

/** Every element is the one before it along an axis; most constants differ at the second. */
function isConstantAlong(values: Float32Array, stride: number, size: number): boolean {
  return values.every((v, i) => Math.floor(i / stride) % size === 0 || Object.is(v, values[i - stride]))
}

function stridesOf(dims: readonly number[]): number[] {
  const strides = dims.map(() => 1)
  for (let i = dims.length - 2; i >= 0; i--) strides[i] = (strides[i + 1] as number) * (dims[i + 1] as number)
  return strides
}

/** Elements of a tensor of sizes `dims`, read with a stride per axis. */
function gathered(
  values: Float32Array,
  dims: readonly number[],
  stride: (axis: number) => number,
): Float32Array {
  const out = new Float32Array(elementCount(dims))
  const index = dims.map(() => 0)
  const step = dims.map((_, axis) => stride(axis))
  let at = 0
  for (let i = 0; i < out.length; i++) {
    out[i] = values[at] as number
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      at += step[axis] as number
      if (++(index[axis] as number) < (dims[axis] as number)) break
      at -= (step[axis] as number) * (dims[axis] as number)
      index[axis] = 0
    }
  }
  return out
}
