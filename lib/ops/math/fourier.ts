/** DFT and STFT: a product with the matrix of the transform, which fits the sizes that such models have. */

import { type Dim, mul, product } from '../../graph/expr.js'
import { intAttribute } from '../../graph/graph.js'
import { ints, texts } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { floatInput, storeFloat } from '../core/float32.js'
import { constantValues, inLayout, needSizes, normalizeAxis } from '../core/helpers.js'
import type { InferContext, Inferred, Layout, LowerContext, OpDef } from '../core/opdef.js'

type Context = InferContext | LowerContext

interface Transform {
  readonly axis: number
  /** Elements of the input along the axis that are used, and the length of the transform. */
  readonly input: number
  readonly length: number
  readonly output: number
  readonly parts: 1 | 2
  readonly outputParts: 1 | 2
  readonly inverse: boolean
  readonly onesided: boolean
}

/** No transform matrix has more elements. */
const MAX_ELEMENTS = 2 ** 26

function transformOf(ctx: Context, shape: readonly Dim[]): Transform {
  const last = shape[shape.length - 1]
  if (shape.length < 2 || (last !== 1 && last !== 2))
    return ctx.fail('an input whose last axis has 1 or 2 elements')
  const given = (i: number) =>
    (ctx.node.inputs[i] ?? '') === '' ? undefined : constantValues(ctx, i, 'the value')[0]
  const axis = normalizeAxis(ctx, given(2) ?? -2, shape.length)
  if (axis === shape.length - 1) ctx.fail('an axis other than the last')
  const size = shape[axis] as Dim
  if (typeof size !== 'number') return needSizes(ctx, `a known size of axis ${axis}`, 0)
  const inverse = intAttribute(ctx.node, 'inverse', 0) === 1
  const onesided = intAttribute(ctx.node, 'onesided', 0) === 1
  const real = inverse && onesided
  const length = given(1) ?? (real ? 2 * (size - 1) : size)
  if (length < 1) ctx.fail(`a transform of at least 1 element, got ${length}`)
  const half = Math.floor(length / 2) + 1
  return checked(ctx, {
    axis,
    input: size,
    length,
    output: onesided && !inverse ? half : length,
    parts: last,
    outputParts: real ? 1 : 2,
    inverse,
    onesided,
  })
}

function checked(ctx: Context, t: Transform): Transform {
  if (t.input * t.parts * t.output * t.outputParts > MAX_ELEMENTS)
    ctx.fail(`a transform matrix of at most ${MAX_ELEMENTS} elements`)
  return t
}

/** Rows: elements of the input and their parts; columns: elements of the output and theirs. */
function matrixOf(t: Transform): Float32Array {
  const columns = t.output * t.outputParts
  const matrix = new Float32Array(t.input * t.parts * columns)
  const half = Math.floor(t.length / 2) + 1
  const real = t.inverse && t.onesided
  const used = Math.min(t.input, real ? half : t.length)
  for (let i = 0; i < used; i++) {
    // Of a real result, the half that is not given is the conjugate of the half that is.
    const twice = real && i > 0 && 2 * i !== t.length ? 2 : 1
    const scale = twice / (t.inverse ? t.length : 1)
    for (let k = 0; k < t.output; k++) {
      const angle = ((t.inverse ? 2 : -2) * Math.PI * ((i * k) % t.length)) / t.length
      const [re, im] = [scale * Math.cos(angle), scale * Math.sin(angle)]
      for (let part = 0; part < t.parts; part++) {
        const at = (i * t.parts + part) * columns + k * t.outputParts
        matrix[at] = part === 0 ? re : -im
        if (t.outputParts === 2) matrix[at + 1] = part === 0 ? im : re
      }
    }
  }
  return matrix
}

function multiply(ctx: LowerContext, rows: number, count: Dim, t: Transform): number {
  const sizes = [t.input * t.parts, t.output * t.outputParts]
  const matrix = ctx.constantTensor('float32', sizes, new Uint8Array(matrixOf(t).buffer))
  const y = ctx.scratch('float32', [count, sizes[1] as number])
  ctx.step(steps.MatMul({ a: ctx.alias(rows, [count, sizes[0] as number]), b: matrix }), [y])
  return y
}

function inferDft(ctx: InferContext): Inferred[] {
  const { dtype, shape } = ctx.required(0)
  const t = transformOf(ctx, shape)
  const last = shape.length - 1
  return [{ dtype, shape: shape.map((d, a) => (a === t.axis ? t.output : a === last ? t.outputParts : d)) }]
}

function lowerDft(ctx: LowerContext): void {
  const { shape } = ctx.inputType(0)
  const t = transformOf(ctx, shape)
  const others = shape.map((_, a) => a).filter((a) => a !== t.axis && a !== shape.length - 1)
  const layout: Layout = [...others, t.axis, shape.length - 1]
  const count = product(others.map((a) => shape[a] as Dim))
  const y = multiply(ctx, floatInput(ctx, 0, layout), count, t)
  const { dtype, shape: out } = ctx.outputType(0)
  if (dtype === 'float32') ctx.outputAlias(0, y, layout)
  else ctx.step(steps.Cast({ x: ctx.alias(y, inLayout(out, layout)) }), [ctx.output(0, layout)])
}

interface Frames extends Transform {
  readonly step: number
  readonly frames: Dim
  readonly batch: Dim
}

function framesOf(ctx: Context, shape: readonly Dim[], window: readonly Dim[] | undefined): Frames {
  const [batch, length, parts] = [shape[0] as Dim, shape[1] as Dim, shape[2] ?? 1]
  if (shape.length > 3 || (parts !== 1 && parts !== 2)) return ctx.fail('a signal of [batch, length, 1 or 2]')
  const step = constantValues(ctx, 1, 'the step')[0] ?? 0
  const given =
    (ctx.node.inputs[3] ?? '') === '' ? window?.[0] : constantValues(ctx, 3, 'the length of a frame')[0]
  if (step < 1) ctx.fail(`a step of at least 1, got ${step}`)
  if (typeof given !== 'number' || given < 1) return ctx.fail('a window or a frame length of at least 1')
  if (window && window[0] !== given) ctx.fail(`a window of ${given} elements`)
  if (typeof length !== 'number') return needSizes(ctx, 'a known length of the signal', 0)
  const onesided = intAttribute(ctx.node, 'onesided', 1) === 1
  const output = onesided ? Math.floor(given / 2) + 1 : given
  const t: Transform = {
    axis: 1,
    input: given,
    length: given,
    output,
    parts,
    outputParts: 2,
    inverse: false,
    onesided,
  }
  return {
    ...checked(ctx, t),
    step,
    batch,
    frames: length < given ? 0 : Math.floor((length - given) / step) + 1,
  }
}

function inferStft(ctx: InferContext): Inferred[] {
  const { dtype, shape } = ctx.required(0)
  const f = framesOf(ctx, shape, ctx.input(2)?.shape)
  return [{ dtype, shape: [f.batch, f.frames, f.output, 2] }]
}

function lowerStft(ctx: LowerContext): void {
  const { shape } = ctx.inputType(0)
  const f = framesOf(ctx, shape, ctx.has(2) ? ctx.inputType(2).shape : undefined)
  const count = f.frames as number
  const starts = Array.from({ length: count }, (_, k) => k * f.step)
  const positions = starts.flatMap((s) => Array.from({ length: f.input }, (_, i) => BigInt(s + i)))
  const indices = ctx.constantTensor(
    'int64',
    [count, f.input],
    new Uint8Array(BigInt64Array.from(positions).buffer),
  )
  const sizes = [f.batch, count, f.input, f.parts]
  const frames = ctx.scratch('float32', sizes, 'frames')
  const signal = ctx.alias(floatInput(ctx, 0), [f.batch, shape[1] as Dim, f.parts])
  ctx.step(steps.Gather({ x: signal, indices }, { axis: ints(1) }), [frames])
  let rows = frames
  if (ctx.has(2)) {
    rows = ctx.scratch('float32', sizes, 'windowed')
    const window = ctx.alias(floatInput(ctx, 2), [1, 1, f.input, 1])
    ctx.step(steps.Binary({ a: frames, b: window }, { fn: texts('mul') }), [rows])
  }
  const y = multiply(ctx, rows, mul(f.batch, count), f)
  storeFloat(ctx, 0, ctx.alias(y, [f.batch, count, f.output, 2]))
}

export const ops: readonly OpDef[] = [
  { opType: 'DFT', domain: '', inputs: [1, 3], outputs: [1, 1], infer: inferDft, lower: lowerDft },
  { opType: 'STFT', domain: '', inputs: [2, 4], outputs: [1, 1], infer: inferStft, lower: lowerStft },
]
