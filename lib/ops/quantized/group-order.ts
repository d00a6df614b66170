/**
 * g_idx of MatMulNBits: which group each row of the weights has its scale of. Rows that a quantizer took in another order
 * (GPTQ's act-order) are brought together group by group, once, and the activations are picked in that order.
 */
import type { DType } from '../../graph/dtype.js'
import { FORMATS, type QuantizedDType } from '../../graph/format.js'
import { bytesOf, numbersOf, packBits, unpackBits } from '../../graph/tensor.js'
import { ints } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { needConstant } from '../core/helpers.js'
import type { InferContext, LowerContext } from '../core/opdef.js'

/** Sizes of weights in blocks: [n, count, size], of which k rows are in use. */
interface Grouped {
  readonly k: number
  readonly n: number
  readonly size: number
  readonly count: number
  readonly levels: DType
}

/** As many groups as there are rows, or rows in whole blocks; each one of `count`. */
export function checkGroups(ctx: InferContext, i: number, { k, size, count }: Grouped): void {
  const type = ctx.input(i)
  if (type === undefined) return
  if (type.dtype !== 'int32') ctx.fail(`g_idx (input ${i}) of type int32, got ${type.dtype}`)
  const constant = ctx.constant(i)
  if (constant === undefined) return
  const groups = numbersOf(constant)
  if (groups.length !== k && groups.length !== count * size) {
    ctx.fail(
      `g_idx (input ${i}, "${ctx.node.inputs[i]}") of ${k} or ${count * size} elements, got ${groups.length}`,
    )
  }
  groups.forEach((group, at) => {
    if (group >= 0 && group < count) return
    ctx.fail(
      `groups of 0 to ${count - 1} in g_idx (input ${i}, "${ctx.node.inputs[i]}"), got ${group} at element ${at}`,
    )
  })
}

/**
 * The rows in the order of their groups; undefined: they are. Groups must have as many rows as a block: others have no
 * packed form.
 */
export function columnOrder(
  ctx: LowerContext,
  i: number,
  { k, size }: Grouped,
): readonly number[] | undefined {
  if (!ctx.has(i)) return undefined
  const constant = ctx.constant(i) ?? needConstant(ctx, i, 'g_idx')
  const groups = numbersOf(constant).subarray(0, k)
  const order = Array.from(groups.keys()).sort(
    (a, b) => (groups[a] as number) - (groups[b] as number) || a - b,
  )
  const wrong = order.findIndex((row, at) => groups[row] !== Math.floor(at / size))
  if (wrong >= 0) {
    const group = Math.floor(wrong / size)
    ctx.fail(`g_idx (input ${i}) to have ${size} rows of each group, got another number of group ${group}`)
  }
  return order.every((row, at) => row === at) ? undefined : order
}

/** Activations with their last axis in another order. */
export function inOrder(ctx: LowerContext, a: number, order: readonly number[]): number {
  const { shape } = ctx.inputType(0)
  const indices = ctx.constantTensor('int32', [order.length], bytesOf(Int32Array.from(order)))
  const picked = ctx.scratch('float32', shape, 'in_order')
  ctx.step(steps.Gather({ x: a, indices }, { axis: ints(shape.length - 1) }), [picked])
  return picked
}

/** Levels [n, count * size] with the rows in use in another order. */
export function reorderedLevels(
  ctx: LowerContext,
  i: number,
  { n, size, count, levels }: Grouped,
  order: readonly number[],
): number {
  const format = FORMATS[levels as QuantizedDType]
  const depth = count * size
  const bytes = ctx.constant(i)?.data ?? needConstant(ctx, i, 'the weights')
  const given = format.bits === 8 ? bytes : unpackBits(bytes, n * depth, format)
  const moved = new Uint8Array(n * depth)
  for (let row = 0; row < n; row++) {
    order.forEach((from, at) => {
      moved[row * depth + at] = given[row * depth + from] as number
    })
  }
  return ctx.constantTensor(levels, [n, depth], format.bits === 8 ? moved : packBits(moved, format))
}
