/** What the operators share: axes, broadcasting, reshaping, attributes of steps. */

import { OctavoError } from '../../errors.js'
import type { DType } from '../../graph/dtype.js'
import { add, type Dim, floorDiv, formatDim, max, mul, product, sameDim, sub } from '../../graph/expr.js'
import { intAttribute, type Node } from '../../graph/graph.js'
import type { InferContext, Inferred, Layout, LowerContext } from './opdef.js'
import { fitsType, isNonNegative, larger, negativeFlag } from './values.js'

/** What both contexts can do. */
export interface NodeContext {
  readonly node: Node
  values(i: number): readonly Dim[] | undefined
  fail(expected: string): never
}

export function formatShape(shape: readonly Dim[]): string {
  return `[${shape.map(formatDim).join(', ')}]`
}

export function identityLayout(rank: number): Layout {
  return Array.from({ length: rank }, (_, i) => i)
}

/** Sizes (or any list with one entry per axis) in the order of a layout. */
export function inLayout<T>(perAxis: readonly T[], layout: Layout): T[] {
  return layout.map((axis) => perAxis[axis] as T)
}

/** An axis in 0..rank-1; `extra` is 1 where the axis may also be the rank itself (Unsqueeze, Flatten). */
export function normalizeAxis(context: NodeContext, axis: number, rank: number, extra = 0): number {
  const most = rank + extra
  if (!Number.isInteger(axis) || axis < -most || axis >= most) {
    context.fail(
      most === 0
        ? `no axis, as the input is a scalar; got ${axis}`
        : `an axis in ${-most}..${most - 1}, got ${axis}`,
    )
  }
  return axis < 0 ? axis + most : axis
}

export function axisAttribute(context: NodeContext, rank: number, fallback: number, name = 'axis'): number {
  return normalizeAxis(context, intAttribute(context.node, name, fallback), rank)
}

/** Axes normalized, sorted, each once. */
export function normalizeAxes(
  context: NodeContext,
  axes: readonly number[],
  rank: number,
  extra = 0,
): number[] {
  const normal = axes.map((a) => normalizeAxis(context, a, rank, extra))
  if (new Set(normal).size !== normal.length) context.fail(`axes that differ, got [${axes.join(', ')}]`)
  return normal.sort((a, b) => a - b)
}

/**
 * Values of input i that must be known when the model is compiled. The error carries the name of the value as
 * `tensor`, so that a caller who knows it (an input that is fed the same each time) can make it a constant.
 */
export function constantValues(context: NodeContext, i: number, what: string): number[] {
  const values = context.values(i)
  if (values?.every((v) => typeof v === 'number')) return values as number[]
  return needConstant(context, i, what)
}

/**
 * An operator cannot be compiled for sizes that are symbols, or without the elements of a value (`tensor`), and these are only
 * known while running. A caller who knows the feeds can compile for them (`compile/specialise.ts`).
 */
export class ValueNeededError extends OctavoError {}

/** As `context.fail`, where numbers for the sizes (and for the elements of input i, where given) could make the node valid. */
export function needSizes(context: { readonly node: Node }, expected: string, i?: number): never {
  const { name, opType, inputs } = context.node
  throw new ValueNeededError('ERR_UNSUPPORTED_OP', `${opType} node "${name}": expected ${expected}`, {
    node: name,
    opType,
    tensor: i === undefined ? undefined : inputs[i],
  })
}

export function needConstant(context: NodeContext, i: number, what: string): never {
  const { name, opType, inputs } = context.node
  throw new ValueNeededError(
    'ERR_UNSUPPORTED_OP',
    `${opType} node "${name}": expected ${what} (input ${i}, "${inputs[i]}") to be known when the model is loaded`,
    { node: name, opType, tensor: inputs[i] },
  )
}

/** Shape of the result of multidirectional broadcasting. Two different symbols are taken to be equal or 1. */
export function broadcastShapes(context: NodeContext, shapes: readonly (readonly Dim[])[]): Dim[] {
  const rank = Math.max(...shapes.map((s) => s.length))
  const result: Dim[] = []
  for (let axis = 0; axis < rank; axis++) {
    let size: Dim = 1
    for (const shape of shapes) {
      const at = axis - (rank - shape.length)
      const next = at < 0 ? 1 : (shape[at] as Dim)
      if (next === 1 || sameDim(size, next)) continue
      if (size === 1) size = next
      else if (typeof size === 'number' && typeof next === 'number') {
        context.fail(`shapes that broadcast, got ${shapes.map(formatShape).join(' and ')}`)
      } else if (typeof next === 'number') size = next
      else if (typeof size !== 'number') size = larger(size, next)
    }
    result.push(size)
  }
  return result
}

/** Result of Reshape: -1 takes the rest, 0 copies (unless `allowZero`). Elements read while running may be either. */
export function reshapeDims(
  context: NodeContext,
  input: readonly Dim[],
  wanted: readonly Dim[],
  allowZero: boolean,
): Dim[] {
  const total = product(input)
  const inferred = wanted.filter((v) => v === -1).length
  if (inferred > 1) context.fail(`at most one -1 in the new shape, got ${formatShape(wanted)}`)
  const plain: Dim[] = wanted.map((v, i) => {
    if (v === -1) return 1
    if (v === 0 && !allowZero) {
      return (
        input[i] ??
        context.fail(`a 0 in the new shape only where the input has an axis, got ${formatShape(wanted)}`)
      )
    }
    if (typeof v === 'number' && v < 0)
      return context.fail(`sizes of at least -1, got ${formatShape(wanted)}`)
    if (isNonNegative(v)) return v
    // An element e that is read while running: 1 for -1, the input's size for 0, itself else.
    const copied = allowZero ? 0 : mul(max(0, sub(1, mul(v, v))), input[i] ?? 0)
    return max(0, add(add(max(v, 0), copied), negativeFlag(v)))
  })
  if (inferred === 0 && wanted.every(isNonNegative)) {
    const count = product(plain)
    if (typeof count === 'number' && typeof total === 'number' && count !== total) {
      context.fail(
        `as many elements as the input ${formatShape(input)} has (${total}), got ${formatShape(plain)} (${count})`,
      )
    }
    return plain
  }
  const known = product(plain)
  if (
    typeof known === 'number' &&
    typeof total === 'number' &&
    (known === 0 ? total !== 0 : total % known !== 0)
  ) {
    context.fail(
      `a new shape that divides the ${total} elements of ${formatShape(input)}, got ${formatShape(wanted)}`,
    )
  }
  const rest = restOf(input, plain)
  return wanted.map((v, i) => {
    const size = plain[i] as Dim
    if (v === -1) return rest
    if (typeof v === 'number' || isNonNegative(v)) return size
    const flag = negativeFlag(v)
    return add(mul(sub(1, flag), size), mul(flag, rest))
  })
}

/** total(input) / product(sizes), with the factors that occur in both left out first; 0 elements give 0, never a division by 0. */
function restOf(input: readonly Dim[], sizes: readonly Dim[]): Dim {
  const left = [...sizes]
  const numerator: Dim[] = []
  for (const d of input) {
    const at = d === 0 ? -1 : left.findIndex((s) => sameDim(s, d))
    if (at >= 0) left.splice(at, 1)
    else numerator.push(d)
  }
  const divisor = product(left)
  return floorDiv(product(numerator), typeof divisor === 'number' ? Math.max(divisor, 1) : divisor)
}

/** Row-major offset of the element of a tensor `shape` that is broadcast to position `flat` of `result`. */
function broadcastOffset(flat: number, result: readonly number[], shape: readonly number[]): number {
  let offset = 0
  let stride = 1
  for (let axis = result.length - 1; axis >= 0; axis--) {
    const size = result[axis] as number
    const position = flat % size
    flat = (flat - position) / size
    const own = shape[axis - (result.length - shape.length)]
    if (own !== undefined && own !== 1) offset += position * stride
    stride *= own ?? 1
  }
  return offset
}

export function asNumbers(dims: readonly Dim[]): number[] | undefined {
  return dims.every((d) => typeof d === 'number') ? (dims as number[]) : undefined
}

/** Values of an elementwise function of integer tensors, where those of all inputs are known and so is each result. */
export function elementwiseValues(
  context: InferContext,
  shape: readonly Dim[],
  dtype: DType,
  apply: (elements: readonly Dim[]) => Dim | undefined,
): Dim[] | undefined {
  const sizes = asNumbers(shape)
  if (sizes === undefined) return undefined
  const inputs: { shape: number[]; values: readonly Dim[] }[] = []
  for (let i = 0; i < context.inputs; i++) {
    const values = context.values(i)
    const own = asNumbers(context.input(i)?.shape ?? [])
    if (values === undefined || own === undefined) return undefined
    inputs.push({ shape: own, values })
  }
  const count = sizes.reduce((a, b) => a * b, 1)
  if (count > 1024) return undefined
  const result: Dim[] = []
  for (let flat = 0; flat < count; flat++) {
    const value = apply(inputs.map((x) => x.values[broadcastOffset(flat, sizes, x.shape)] as Dim))
    if (value === undefined) return undefined
    result.push(value)
  }
  return fitsType(dtype, result) ? result : undefined
}

/** An operator whose one output has the type of input `i`. */
export function sameAsInput(context: InferContext, i = 0): Inferred[] {
  const { dtype, shape } = context.required(i)
  return [{ dtype, shape }]
}

/** The shared layout where it has this rank, else the model's. */
export function layoutOfRank(context: LowerContext, rank: number): Layout {
  const shared = context.sharedLayout()
  return shared.length === rank ? shared : identityLayout(rank)
}
