/** MatMulNBits of onnxruntime: weights of 2, 4 or 8 bits with a scale for each block of K. */
import { type DType, isFloat } from '../../graph/dtype.js'
import { formatDim } from '../../graph/expr.js'
import { intAttribute } from '../../graph/graph.js'
import { ints, texts } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { floatInput, floatOutput } from '../core/float32.js'
import { type NodeContext, needConstant } from '../core/helpers.js'
import type { InferContext, Inferred, LowerContext, OpDef } from '../core/opdef.js'
import { compatible } from '../nn/conv.js'
import { checkGroups, columnOrder, inOrder, reorderedLevels } from './group-order.js'
import { checkCount, checkFloat, countAttribute, levelsOf, scaleInput } from './packed-levels.js'

/** Inputs by position. */
const [A, B, SCALES, ZERO_POINTS, G_IDX, BIAS] = [0, 1, 2, 3, 4, 5] as const

/** What the attributes say of B. */
interface Blocks {
  readonly k: number
  readonly n: number
  readonly bits: number
  readonly size: number
  /** Blocks of a column; the last one may be longer than what is left of K. */
  readonly count: number
  readonly levels: DType
}

function blocksOf(ctx: NodeContext): Blocks {
  const [k, n] = [countAttribute(ctx, 'K', 1), countAttribute(ctx, 'N', 1)]
  const size = countAttribute(ctx, 'block_size', 16)
  if ((size & (size - 1)) !== 0) ctx.fail(`a block_size that is a power of 2, got ${size}`)
  return { k, n, size, count: Math.ceil(k / size), ...levelsOf(ctx) }
}

/** Bytes of a row of zero points. */
function packedZeros({ count, bits }: Blocks): number {
  return Math.ceil((count * bits) / 8)
}

function infer(ctx: InferContext): readonly Inferred[] {
  checkFloat(ctx, A, 'activations')
  const { dtype, shape } = ctx.required(A)
  const blocks = blocksOf(ctx)
  const { k, n, bits, size, count } = blocks
  const last = shape[shape.length - 1]
  if (last === undefined || !compatible(last, k)) {
    ctx.fail(`K (${k}) as the last axis of input 0, got ${last === undefined ? 'a scalar' : formatDim(last)}`)
  }
  const b = ctx.required(B)
  if (b.dtype !== 'uint8') ctx.fail(`weights (input 1) of type uint8, got ${b.dtype}`)
  checkCount(ctx, B, n * count * ((size * bits) / 8), `[${n}, ${count}, ${(size * bits) / 8}]`)
  checkFloat(ctx, SCALES, 'scales')
  checkCount(ctx, SCALES, n * count, `[${n}, ${count}]`)
  const zeros = ctx.input(ZERO_POINTS)
  if (zeros !== undefined) {
    const real = isFloat(zeros.dtype)
    if (!real && zeros.dtype !== 'uint8') {
      ctx.fail(`zero points (input 3) of type uint8 or as the scales, got ${zeros.dtype}`)
    }
    const row = real ? count : packedZeros(blocks)
    checkCount(ctx, ZERO_POINTS, n * row, `[${n}, ${row}]`)
  }
  checkGroups(ctx, G_IDX, blocks)
  if (ctx.input(BIAS) !== undefined) checkCount(ctx, BIAS, n, `[${n}]`)
  return [{ dtype, shape: [...shape.slice(0, -1), n] }]
}

function lower(ctx: LowerContext): void {
  const blocks = blocksOf(ctx)
  const { n, size, count, levels } = blocks
  for (const [i, what] of [
    [B, 'the weights'],
    [SCALES, 'the scales'],
  ] as const) {
    if (!ctx.constant(i)) needConstant(ctx, i, what)
  }
  const order = columnOrder(ctx, G_IDX, blocks)
  const inputs = {
    a: order ? inOrder(ctx, floatInput(ctx, A), order) : floatInput(ctx, A),
    b: order ? reorderedLevels(ctx, B, blocks, order) : ctx.constantAs(B, levels, [n, count * size]),
    scale: ctx.alias(scaleInput(ctx, SCALES), [n, count]),
    zero_point: zeroPoints(ctx, blocks),
    bias: ctx.has(BIAS) ? ctx.alias(floatInput(ctx, BIAS), [n]) : -1,
  }
  const level = intAttribute(ctx.node, 'accuracy_level', 0)
  const attributes = {
    block_size: ints(size),
    trans_b: ints(1),
    activations: texts(level === 4 ? 'block' : 'float'),
  }
  const kind = level === 4 ? 'integer' : 'float'
  floatOutput(ctx, 0, undefined, (y) => ctx.step(steps.BlockMatMul(inputs, attributes), [y], kind))
}

/** Absent ones are in the middle of the levels. */
function zeroPoints(ctx: LowerContext, blocks: Blocks): number {
  const { n, bits, count, levels } = blocks
  if (!ctx.has(ZERO_POINTS)) return ctx.constantTensor(levels, [1], Uint8Array.of(2 ** (bits - 1)))
  if (!ctx.constant(ZERO_POINTS)) needConstant(ctx, ZERO_POINTS, 'the zero points')
  if (isFloat(ctx.inputType(ZERO_POINTS).dtype)) return ctx.alias(ctx.input(ZERO_POINTS), [n, count])
  return ctx.constantAs(ZERO_POINTS, levels, [n, (packedZeros(blocks) * 8) / bits])
}

export const ops: readonly OpDef[] = [
  { opType: 'MatMulNBits', domain: 'com.microsoft', inputs: [3, 6], outputs: [1, 1], infer, lower },
]
