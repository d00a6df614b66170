/**
 * DynamicQuantizeLSTM of onnxruntime. The sequence is quantized while running, with one scale, for its product with W.
 * The state stays float: R is int8 in memory, as in every recurrent layer with integer weights.
 */
import { type DType, isQuantized8 } from '../../graph/dtype.js'
import type { Dim } from '../../graph/expr.js'
import type { ConstantTensor } from '../../graph/graph.js'
import { numbersOf, tensorFromNumbers, tensorOf } from '../../graph/tensor.js'
import { steps } from '../../plan/build.js'
import { formatShape, needConstant } from '../core/helpers.js'
import type { InferContext, Inferred, LowerContext, OpDef } from '../core/opdef.js'
import { compatible } from '../nn/conv.js'
import { CELLS, inferRecurrent, lowerRecurrent } from '../nn/recurrent.js'
import { checkScaleValues } from './quantization-parameters.js'

const [W, R, W_SCALE, R_SCALE] = [1, 2, 8, 10]

function infer(ctx: InferContext): readonly Inferred[] {
  const outputs = inferRecurrent(ctx, CELLS.LSTM, true)
  if (ctx.required(0).dtype !== 'float32') ctx.fail(`an input of type float32, got ${ctx.required(0).dtype}`)
  for (const [weights, scale] of [
    [W, W_SCALE],
    [R, R_SCALE],
  ] as const) {
    const { dtype, shape } = ctx.required(weights)
    if (!isQuantized8(dtype)) ctx.fail(`input ${weights} of type int8 or uint8, got ${dtype}`)
    checkParameter(ctx, scale, 'float32', [shape[0] as Dim, shape[2] as Dim])
    checkScaleValues(ctx, scale)
    checkParameter(ctx, scale + 1, dtype, [shape[0] as Dim, shape[2] as Dim])
  }
  return outputs
}

/** One for each direction, or for each of its columns. */
function checkParameter(ctx: InferContext, i: number, dtype: DType, expected: readonly Dim[]): void {
  const given = ctx.required(i)
  const { shape } = given
  const fits =
    (shape.length === 1 || shape.length === 2) && shape.every((d, k) => compatible(d, expected[k] as Dim))
  if (given.dtype !== dtype || !fits)
    ctx.fail(
      `input ${i} ${dtype} ${formatShape(expected.slice(0, 1))} or ${formatShape(expected)}, got ${given.dtype} ${formatShape(shape)}`,
    )
}

function lower(ctx: LowerContext): void {
  const [directions, features, gates] = constantAt(ctx, W, 'the weights').dims as [number, number, number]
  const rows = directions * gates
  lowerRecurrent(ctx, CELLS.LSTM, {
    rows,
    inputPart: (x, all) => inputPart(ctx, x, [all, features], [directions, gates]),
    step: (inputs, attributes) => {
      const { levels, scales } = recurrence(ctx)
      const r = levels && { tensor: add(ctx, levels), scale: add(ctx, tensorOf('float32', [rows], scales)) }
      if (r) return steps.QRecurrent({ ...inputs, r: { ...r, zeroPoint: -1 } }, attributes)
      return steps.Recurrent({ ...inputs, r: add(ctx, realRecurrence(ctx)) }, attributes)
    },
  })
}

/** The product of the sequence, quantized with one scale, and W of all directions: [features, directions * gates]. */
function inputPart(
  ctx: LowerContext,
  x: number,
  [all, features]: readonly [Dim, number],
  [directions, gates]: readonly [number, number],
): number {
  const quantized = ctx.scratch('uint8', [all, features], 'quantized')
  const [scale, zeroPoint] = [ctx.scratch('float32', [], 'scale'), ctx.scratch('uint8', [], 'zero_point')]
  ctx.step(steps.DynamicQuantizeLinear({ x }), [quantized, scale, zeroPoint])
  const columns = directions * gates
  const w = constantAt(ctx, W, 'the weights')
  const tensor =
    directions === 1 ? ctx.alias(ctx.input(W), [features, gates]) : add(ctx, sideBySide(w, features, gates))
  const parameter = (i: number) => {
    const values = spread(constantAt(ctx, i, 'scales and zero points'), columns)
    return add(ctx, tensorFromNumbers(ctx.inputType(i).dtype, [columns], values))
  }
  const b = { tensor, scale: parameter(W_SCALE), zeroPoint: parameter(W_SCALE + 1) }
  const part = ctx.scratch('float32', [all, columns])
  ctx.step(steps.QMatMul({ a: { tensor: quantized, scale, zeroPoint }, b }), [part])
  return part
}

/** Matrices [directions, k, n] as one, [k, directions * n]. */
function sideBySide({ dtype, dims, data }: ConstantTensor, k: number, n: number): ConstantTensor {
  const directions = dims[0] as number
  const bytes = new Uint8Array(data.length)
  for (let d = 0; d < directions; d++)
    for (let row = 0; row < k; row++) {
      const from = (d * k + row) * n
      bytes.set(data.subarray(from, from + n), (row * directions + d) * n)
    }
  return tensorOf(dtype, [k, directions * n], bytes)
}

/** Of each of `count` columns of all directions. */
function spread(parameter: ConstantTensor, count: number): Float64Array {
  const values = numbersOf(parameter)
  const each = count / values.length
  return Float64Array.from({ length: count }, (_, i) => values[Math.floor(i / each)] as number)
}

/** R as the step has it, [directions, gates, hidden], less its zero points; no levels where they do not fit int8. */
function recurrence(ctx: LowerContext): { levels?: ConstantTensor; scales: Float32Array } {
  const { dims, values, scales } = withoutZeros(ctx)
  const fits = values.every((v) => v >= -128 && v <= 127)
  return { scales, ...(fits ? { levels: tensorOf('int8', dims, Int8Array.from(values)) } : {}) }
}

function realRecurrence(ctx: LowerContext): ConstantTensor {
  const { dims, values, scales } = withoutZeros(ctx)
  const hidden = dims[2] as number
  const real = Float32Array.from(values, (v, i) => v * (scales[Math.floor(i / hidden)] as number))
  return tensorOf('float32', dims, real)
}

function withoutZeros(ctx: LowerContext) {
  const r = constantAt(ctx, R, 'the recurrence weights')
  const [directions, hidden, gates] = r.dims as [number, number, number]
  const rows = directions * gates
  const levels = numbersOf(r)
  const zeros = spread(constantAt(ctx, R_SCALE + 1, 'zero points'), rows)
  const scales = Float32Array.from(spread(constantAt(ctx, R_SCALE, 'scales'), rows))
  const values = new Int16Array(levels.length)
  for (let d = 0; d < directions; d++)
    for (let k = 0; k < hidden; k++)
      for (let g = 0; g < gates; g++) {
        const row = d * gates + g
        values[row * hidden + k] = (levels[(d * hidden + k) * gates + g] as number) - (zeros[row] as number)
      }
  return { dims: [directions, gates, hidden], values, scales }
}

function constantAt(ctx: LowerContext, i: number, what: string): ConstantTensor {
  return ctx.constant(i) ?? needConstant(ctx, i, what)
}

function add(ctx: LowerContext, { dtype, dims, data }: ConstantTensor): number {
  return ctx.constantTensor(dtype, dims, data)
}

export const ops: readonly OpDef[] = [
  {
    opType: 'DynamicQuantizeLSTM',
    domain: 'com.microsoft',
    inputs: [3, 12],
    outputs: [0, 3],
    infer,
    lower,
  },
]
