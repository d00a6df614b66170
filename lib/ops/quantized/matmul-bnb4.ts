/** MatMulBnb4 of onnxruntime: weights of bitsandbytes, 4 bits that stand for the numbers of a table, in blocks. */
import { formatDim } from '../../graph/expr.js'
import { intAttribute } from '../../graph/graph.js'
import { bytesOf, floatsOf } from '../../graph/tensor.js'
import { ints, texts } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { floatInput, floatOutput } from '../core/float32.js'
import { type NodeContext, needConstant } from '../core/helpers.js'
import type { InferContext, Inferred, LowerContext, OpDef } from '../core/opdef.js'
import { compatible } from '../nn/conv.js'
import { checkCount, checkFloat, countAttribute } from './packed-levels.js'

const [A, B, ABSMAX] = [0, 1, 2] as const

/** The numbers of levels 0 to 15, by quant_type: as onnxruntime has them. */
const TABLES: readonly (readonly number[])[] = [
  [
    ...[0, 5.208333333e-3, 0.66666667, 1, 0.33333333, 0.5, 0.16666667, 0.25],
    ...[-0, -5.208333333e-3, -0.66666667, -1, -0.33333333, -0.5, -0.16666667, -0.25],
  ],
  [
    ...[-1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635],
    ...[-0.18477343022823334, -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725],
    ...[0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941],
    ...[0.7229568362236023, 1],
  ],
]

/** The kernels' shortest block. */
const SHORTEST = 16

interface Blocks {
  readonly k: number
  readonly n: number
  /** Of [n, k] row by row: a block may end in the next row. */
  readonly size: number
  readonly count: number
  readonly table: readonly number[]
}

function blocksOf(ctx: NodeContext): Blocks {
  const [k, n] = [countAttribute(ctx, 'K', 1), countAttribute(ctx, 'N', 1)]
  const size = countAttribute(ctx, 'block_size', 1)
  const type = intAttribute(ctx.node, 'quant_type', -1)
  const table =
    TABLES[type] ?? ctx.fail(`a quant_type of 0 (FP4) or 1 (NF4), got ${type < 0 ? 'none' : type}`)
  const trans = intAttribute(ctx.node, 'transB', 1)
  if (trans !== 1) ctx.fail(`a transB of 1, got ${trans}`)
  return { k, n, size, count: Math.ceil((n * k) / size), table }
}

function infer(ctx: InferContext): readonly Inferred[] {
  checkFloat(ctx, A, 'activations')
  const { dtype, shape } = ctx.required(A)
  const { k, n, count } = blocksOf(ctx)
  const last = shape[shape.length - 1]
  if (last === undefined || !compatible(last, k)) {
    ctx.fail(`K (${k}) as the last axis of input 0, got ${last === undefined ? 'a scalar' : formatDim(last)}`)
  }
  const b = ctx.required(B)
  if (b.dtype !== 'uint8') ctx.fail(`weights (input 1) of type uint8, got ${b.dtype}`)
  checkCount(ctx, B, Math.ceil((n * k) / 2), `[${Math.ceil((n * k) / 2)}]`)
  checkFloat(ctx, ABSMAX, 'scales')
  checkCount(ctx, ABSMAX, count, `[${count}]`)
  return [{ dtype, shape: [...shape.slice(0, -1), n] }]
}

function lower(ctx: LowerContext): void {
  const blocks = blocksOf(ctx)
  const levels = ctx.constant(B)?.data ?? needConstant(ctx, B, 'the weights')
  const scales = floatsOf(ctx.constant(ABSMAX) ?? needConstant(ctx, ABSMAX, 'the scales'))
  const { k, n, size, table } = blocks
  // Within a row and a block of the file there are whole runs of this many elements.
  const run = commonDivisor(k, size)
  if (run < SHORTEST && run < k) {
    inFloat(ctx, blocks, levels, scales)
    return
  }
  const runs = k / run
  const scale = Float32Array.from(
    { length: n * runs },
    (_, i) => scales[Math.floor((i * run) / size)] as number,
  )
  const inputs = {
    a: floatInput(ctx, A),
    b: ctx.constantTensor('uint4', [n, k], swapped(levels)),
    scale: ctx.constantTensor('float32', [n, runs], bytesOf(scale)),
    table: ctx.constantTensor('float32', [table.length], bytesOf(Float32Array.from(table))),
  }
  const attributes = { block_size: ints(run), trans_b: ints(1), activations: texts('float') }
  floatOutput(ctx, 0, undefined, (y) => ctx.step(steps.BlockMatMul(inputs, attributes), [y], 'float'))
}

/** Blocks that end within rows in pieces too short for packed weights. */
function inFloat(
  ctx: LowerContext,
  { k, n, size, table }: Blocks,
  levels: Uint8Array,
  scales: Float32Array,
): void {
  const weights = Float32Array.from({ length: n * k }, (_, i) => {
    const level = ((levels[i >> 1] as number) >> (i % 2 === 0 ? 4 : 0)) & 15
    return Math.fround(table[level] as number) * (scales[Math.floor(i / size)] as number)
  })
  const b = ctx.constantTensor('float32', [n, k], bytesOf(weights))
  const { shape } = ctx.inputType(A)
  const a = shape.length === 1 ? ctx.alias(floatInput(ctx, A), [1, ...shape]) : floatInput(ctx, A)
  const attributes = { trans_b: ints(1) }
  floatOutput(ctx, 0, undefined, (y) => {
    const out = y >= 0 && shape.length === 1 ? ctx.alias(y, [1, n]) : y
    ctx.step(steps.MatMul({ a, b }, attributes), [out])
  })
}

/** The file has the first of two levels in the high bits of a byte, steps in the low ones. */
function swapped(levels: Uint8Array): Uint8Array {
  const out = new Uint8Array(levels.length)
  for (let i = 0; i < levels.length; i++) {
    const byte = levels[i] as number
    out[i] = (byte >> 4) | ((byte & 15) << 4)
  }
  return out
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b)
}

export const ops: readonly OpDef[] = [
  { opType: 'MatMulBnb4', domain: 'com.microsoft', inputs: [3, 3], outputs: [1, 1], infer, lower },
]
