/** GatherBlockQuantized of onnxruntime: rows of a table of 2, 4 or 8 bits with a scale for each block. */
import type { DType } from '../../graph/dtype.js'
import { FORMATS, type QuantizedDType } from '../../graph/format.js'
import { intAttribute } from '../../graph/graph.js'
import { ints } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { floatOutput } from '../core/float32.js'
import { asNumbers, formatShape, type NodeContext, needConstant, normalizeAxis } from '../core/helpers.js'
import type { InferContext, Inferred, LowerContext, OpDef } from '../core/opdef.js'
import { checkFloat, levelsOf, scaleInput } from './packed-levels.js'

const [DATA, INDICES, SCALES, ZERO_POINTS] = [0, 1, 2, 3] as const

/** The table as levels, and where its scales lie. */
interface Table {
  readonly levels: DType
  readonly dims: readonly number[]
  readonly gather: number
  readonly quantize: number
  readonly size: number
  readonly scales: readonly number[]
  /** Bytes of uint8 hold several levels along the last axis. */
  readonly packed: boolean
}

function tableOf(ctx: NodeContext, dtype: DType, shape: readonly number[]): Table {
  const packed = dtype === 'uint8'
  const { bits, levels: stored } = levelsOf(ctx)
  const levels = packed ? stored : dtype
  const own = FORMATS[levels as QuantizedDType].bits
  if (!packed && bits !== own) ctx.fail(`bits of ${own}, as data (input 0) of type ${dtype} has, got ${bits}`)
  const last = shape.length - 1
  const dims = shape.map((d, i) => (packed && i === last ? (d * 8) / bits : d))
  const gather = normalizeAxis(ctx, intAttribute(ctx.node, 'gather_axis', 0), dims.length)
  const quantize = normalizeAxis(ctx, intAttribute(ctx.node, 'quantize_axis', 1), dims.length)
  const size = intAttribute(ctx.node, 'block_size', 128)
  if (size < 16 || (size & (size - 1)) !== 0) {
    ctx.fail(`a block_size that is a power of 2 and at least 16, got ${size}`)
  }
  const scales = dims.map((d, i) => (i === quantize ? Math.ceil(d / size) : d))
  return { levels, dims, gather, quantize, size, scales, packed }
}

/** Sizes of the zero points as the file has them. */
function zeroDims({ levels, scales, packed }: Table): readonly number[] {
  const perByte = packed ? 8 / FORMATS[levels as QuantizedDType].bits : 1
  return scales.map((d, i) => (i === scales.length - 1 ? Math.ceil(d / perByte) : d))
}

function numbers(ctx: InferContext, i: number): readonly number[] {
  const { shape } = ctx.required(i)
  return (
    asNumbers(shape) ??
    ctx.fail(`known sizes of input ${i} ("${ctx.node.inputs[i]}"), got ${formatShape(shape)}`)
  )
}

function infer(ctx: InferContext): readonly Inferred[] {
  const { dtype } = ctx.required(DATA)
  if (dtype !== 'uint8' && dtype !== 'uint4' && dtype !== 'int4') {
    ctx.fail(`data (input 0) of type int4, uint4 or uint8, got ${dtype}`)
  }
  const table = tableOf(ctx, dtype, numbers(ctx, DATA))
  const indices = ctx.required(INDICES)
  if (indices.dtype !== 'int64' && indices.dtype !== 'int32') {
    ctx.fail(`indices (input 1) of type int64 or int32, got ${indices.dtype}`)
  }
  checkFloat(ctx, SCALES, 'scales')
  checkSizes(ctx, SCALES, table.scales)
  const zero = ctx.input(ZERO_POINTS)
  if (zero !== undefined) {
    if (zero.dtype !== dtype)
      ctx.fail(`zero points (input 3) of type ${dtype}, as the data, got ${zero.dtype}`)
    checkSizes(ctx, ZERO_POINTS, zeroDims(table))
  }
  const { dims, gather } = table
  const shape = [...dims.slice(0, gather), ...indices.shape, ...dims.slice(gather + 1)]
  return [{ dtype: ctx.required(SCALES).dtype, shape }]
}

function checkSizes(ctx: InferContext, i: number, expected: readonly number[]): void {
  const found = numbers(ctx, i)
  if (found.length === expected.length && found.every((d, axis) => d === expected[axis])) return
  ctx.fail(
    `sizes ${formatShape(expected)} of input ${i} ("${ctx.node.inputs[i]}"), by the data, quantize_axis and block_size, got ${formatShape(found)}`,
  )
}

function lower(ctx: LowerContext): void {
  const { dtype, shape } = ctx.inputType(DATA)
  const table = tableOf(ctx, dtype, shape as readonly number[])
  const { levels, dims, gather, quantize, size, packed } = table
  const inputs = {
    x: packed ? levelsInput(ctx, DATA, 'the table', levels, dims) : ctx.input(DATA),
    scale: scaleInput(ctx, SCALES),
    zero_point: zeroPoints(ctx, table),
    indices: ctx.input(INDICES),
  }
  const attributes = { axis: ints(gather), quantize_axis: ints(quantize), block_size: ints(size) }
  floatOutput(ctx, 0, undefined, (y) => ctx.step(steps.GatherBlocks(inputs, attributes), [y]))
}

/** Absent ones are 0, but of bytes in the middle of the levels. */
function zeroPoints(ctx: LowerContext, table: Table): number {
  const { levels, packed } = table
  const { bits } = FORMATS[levels as QuantizedDType]
  if (!ctx.has(ZERO_POINTS)) {
    return packed ? ctx.constantTensor(levels, [1], Uint8Array.of(2 ** (bits - 1))) : -1
  }
  if (!packed) return ctx.input(ZERO_POINTS)
  const bytes = zeroDims(table)
  const dims = bytes.map((d, i) => (i === bytes.length - 1 ? (d * 8) / bits : d))
  return levelsInput(ctx, ZERO_POINTS, 'the zero points', levels, dims)
}

function levelsInput(
  ctx: LowerContext,
  i: number,
  what: string,
  levels: DType,
  dims: readonly number[],
): number {
  if (levels === 'uint8') return ctx.input(i)
  if (!ctx.constant(i)) needConstant(ctx, i, what)
  return ctx.constantAs(i, levels, dims)
}

export const ops: readonly OpDef[] = [
  { opType: 'GatherBlockQuantized', domain: 'com.microsoft', inputs: [3, 4], outputs: [1, 1], infer, lower },
]
