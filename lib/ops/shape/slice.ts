/** Parts of tensors and tensors put together: Slice, Split, Concat, Pad, Trilu. */

import { add, ceilDiv, type Dim, formatDim, mul, sameDim, sub } from '../../graph/expr.js'
import { intAttribute, stringAttribute } from '../../graph/graph.js'
import { ints, texts } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import {
  asNumbers,
  axisAttribute,
  constantValues,
  formatShape,
  identityLayout,
  inLayout,
  layoutOfRank,
  normalizeAxes,
  normalizeAxis,
  sameAsInput,
} from '../core/helpers.js'
import type { InferContext, Inferred, LowerContext, OpDef } from '../core/opdef.js'
import { fromEnd, larger, MAX_VALUES, smaller, stridedValues, stridesOf } from '../core/values.js'

interface Cut {
  readonly start: Dim
  readonly step: number
  readonly size: Dim
}

/** Beyond any tensor: exporters write such ends for "to the last". */
const FAR = 2 ** 31 - 1

/** start:end:step over an axis of `size`, clamped as numpy does. */
function cut(size: Dim, start: Dim, end: Dim, step: number): Cut {
  const last = step > 0 ? size : sub(size, 1)
  const clamp = (v: Dim, low: number): Dim => {
    if (typeof v === 'number' && v >= FAR) return last
    if (typeof v === 'number' && v <= -FAR) return low
    return smaller(larger(fromEnd(v, size), low), last)
  }
  const from = clamp(start, 0)
  const to = clamp(end, step > 0 ? 0 : -1)
  const distance = step > 0 ? sub(to, from) : sub(from, to)
  const count = ceilDiv(distance, Math.abs(step))
  return { start: from, step, size: larger(count, 0) }
}

/** One cut per axis of the input. */
function cuts(context: InferContext | LowerContext, shape: readonly Dim[]): Cut[] {
  const starts = context.valuesOrRead(1)
  const ends = context.valuesOrRead(2)
  const given = context.node.inputs[3]
    ? constantValues(context, 3, 'the axes')
    : identityLayout(starts.length)
  const steps = context.node.inputs[4] ? constantValues(context, 4, 'the steps') : starts.map(() => 1)
  if (ends.length !== starts.length || given.length !== starts.length || steps.length !== starts.length) {
    context.fail(
      `as many starts, ends, axes and steps, got ${starts.length}, ${ends.length}, ${given.length} and ${steps.length}`,
    )
  }
  if (steps.includes(0)) context.fail('steps other than 0')
  const axes = given.map((a) => normalizeAxis(context, a, shape.length))
  return shape.map((size, axis) => {
    const k = axes.indexOf(axis)
    return k < 0
      ? { start: 0, step: 1, size }
      : cut(size, starts[k] as Dim, ends[k] as Dim, steps[k] as number)
  })
}

function inferSlice(context: InferContext): Inferred[] {
  const { dtype, shape } = context.required(0)
  const each = cuts(context, shape)
  const sizes = asNumbers(each.map((c) => c.size))
  const starts = asNumbers(each.map((c) => c.start))
  return [
    {
      dtype,
      shape: each.map((c) => c.size),
      values: sizes && starts && slicedValues(context, each, sizes, starts),
    },
  ]
}

function slicedValues(
  context: InferContext,
  each: readonly Cut[],
  sizes: readonly number[],
  starts: readonly number[],
): Dim[] | undefined {
  const values = context.values(0)
  const shape = asNumbers(context.required(0).shape)
  if (values === undefined || shape === undefined) return undefined
  const strides = stridesOf(shape)
  const base = starts.reduce((at, start, axis) => at + start * (strides[axis] as number), 0)
  return stridedValues(
    values,
    sizes,
    each.map((c, axis) => c.step * (strides[axis] as number)),
    base,
  )
}

function lowerSlice(context: LowerContext): void {
  const { shape } = context.inputType(0)
  const layout = layoutOfRank(context, shape.length)
  const each = inLayout(cuts(context, shape), layout)
  const attributes = { starts: ints(...each.map((c) => c.start)), steps: ints(...each.map((c) => c.step)) }
  context.step(steps.Slice({ x: context.input(0, layout) }, attributes), [context.output(0, layout)])
}

function inferSplit(context: InferContext): Inferred[] {
  const { dtype, shape } = context.required(0)
  const axis = axisAttribute(context, shape.length, 0)
  const size = shape[axis] as Dim
  const count = context.node.outputs.length
  const sizes = context.input(1) ? [...context.valuesOrRead(1)] : equalParts(context, size, count)
  if (sizes.length !== count) context.fail(`${count} split sizes, one per output, got ${sizes.length}`)
  const total = sizes.reduce<Dim>(add, 0)
  if (typeof total === 'number' && typeof size === 'number' && total !== size) {
    context.fail(`split sizes that add up to ${size}, got ${formatShape(sizes)}`)
  }
  const values = shape.length === 1 ? context.values(0) : undefined
  let offset = 0
  const known = values && asNumbers(sizes)
  return sizes.map((part, i) => {
    const own = known && values.slice(offset, offset + (known[i] as number))
    offset += known?.[i] ?? 0
    return { dtype, shape: shape.map((d, a) => (a === axis ? part : d)), values: own }
  })
}

/** Parts of ceil(size / count), the last one what is left. */
function equalParts(context: InferContext, size: Dim, outputs: number): Dim[] {
  const count = intAttribute(context.node, 'num_outputs', outputs)
  const part = ceilDiv(size, count)
  return Array.from({ length: count }, (_, i) => (i < count - 1 ? part : sub(size, mul(part, count - 1))))
}

function lowerSplit(context: LowerContext): void {
  const { dtype, shape } = context.inputType(0)
  const axis = axisAttribute(context, shape.length, 0)
  const layout = layoutOfRank(context, shape.length)
  const outputs = context.node.outputs.map((_, i) => {
    if (context.hasOutput(i)) return context.output(i, layout)
    return context.scratch(dtype, inLayout(context.outputType(i).shape, layout))
  })
  context.step(steps.Split({ x: context.input(0, layout) }, { axis: ints(layout.indexOf(axis)) }), outputs)
}

function inferConcat(context: InferContext): Inferred[] {
  const first = context.required(0)
  const rank = first.shape.length
  const axis = normalizeAxis(context, intAttribute(context.node, 'axis') ?? context.fail('an axis'), rank)
  const shape = [...first.shape]
  for (let i = 0; i < context.inputs; i++) {
    const next = context.required(i)
    if (next.dtype !== first.dtype) context.fail(`inputs of one type, got ${first.dtype} and ${next.dtype}`)
    if (next.shape.length !== rank)
      context.fail(`inputs of one rank, got ${formatShape(first.shape)} and ${formatShape(next.shape)}`)
    next.shape.forEach((d, a) => {
      if (a === axis) {
        if (i > 0) shape[a] = add(shape[a] as Dim, d)
        return
      }
      const own = shape[a] as Dim
      if (sameDim(own, d)) return
      if (typeof own === 'number' && typeof d === 'number') {
        context.fail(
          `inputs that agree on all axes but ${axis}, got ${formatDim(own)} and ${formatDim(d)} on axis ${a}`,
        )
      }
      if (typeof d === 'number') shape[a] = d
    })
  }
  return [{ dtype: first.dtype, shape, values: joinedValues(context, axis) }]
}

/** Row by row of the axes before the joined one, the elements of each input. */
function joinedValues(context: InferContext, axis: number): Dim[] | undefined {
  const parts: { values: readonly Dim[]; rows: number }[] = []
  for (let i = 0; i < context.inputs; i++) {
    const values = context.values(i)
    const shape = asNumbers(context.required(i).shape)
    if (values === undefined || shape === undefined) return undefined
    parts.push({ values, rows: shape.slice(0, axis).reduce((a, b) => a * b, 1) })
  }
  const rows = parts[0]?.rows ?? 0
  if (rows === 0 || parts.some((p) => p.rows !== rows)) return undefined
  if (parts.reduce((n, p) => n + p.values.length, 0) > MAX_VALUES) return undefined
  return Array.from({ length: rows }, (_, row) =>
    parts.flatMap(({ values }) =>
      values.slice((row * values.length) / rows, ((row + 1) * values.length) / rows),
    ),
  ).flat()
}

function lowerConcat(context: LowerContext): void {
  const { shape } = context.outputType(0)
  const axis = axisAttribute(context, shape.length, 0)
  const layout = layoutOfRank(context, shape.length)
  const x = context.node.inputs.map((_, i) => context.input(i, layout))
  context.step(steps.Concat({ x }, { axis: ints(layout.indexOf(axis)) }), [context.output(0, layout)])
}

/** Padding before and after each axis of the input. */
function padding(context: InferContext | LowerContext, rank: number): { before: Dim[]; after: Dim[] } {
  const pads = context.valuesOrRead(1)
  const axes = context.node.inputs[3]
    ? constantValues(context, 3, 'the axes').map((a) => normalizeAxis(context, a, rank))
    : identityLayout(rank)
  normalizeAxes(context, axes, rank)
  if (pads.length !== 2 * axes.length)
    context.fail(`${2 * axes.length} pads, two per axis, got ${pads.length}`)
  const pick = (offset: number) =>
    identityLayout(rank).map((axis): Dim => {
      const k = axes.indexOf(axis)
      return k < 0 ? 0 : (pads[offset + k] as Dim)
    })
  return { before: pick(0), after: pick(axes.length) }
}

function inferPad(context: InferContext): Inferred[] {
  const { dtype, shape } = context.required(0)
  const { before, after } = padding(context, shape.length)
  const padded = shape.map((d, a) => add(add(d, before[a] as Dim), after[a] as Dim))
  const mode = stringAttribute(context.node, 'mode', 'constant')
  if (!['constant', 'reflect', 'edge', 'wrap'].includes(mode)) {
    context.fail(`attribute "mode" to be constant, reflect, edge or wrap, got ${mode}`)
  }
  return [{ dtype, shape: padded }]
}

function lowerPad(context: LowerContext): void {
  const { shape } = context.inputType(0)
  const layout = layoutOfRank(context, shape.length)
  const { before, after } = padding(context, shape.length)
  const attributes = {
    pads: ints(...inLayout(before, layout), ...inLayout(after, layout)),
    mode: texts(stringAttribute(context.node, 'mode', 'constant')),
  }
  const value = context.has(2) ? context.alias(context.input(2), []) : -1
  context.step(steps.Pad({ x: context.input(0, layout), value }, attributes), [context.output(0, layout)])
}

function inferTrilu(context: InferContext): Inferred[] {
  const { shape } = context.required(0)
  if (shape.length < 2) context.fail(`an input of rank 2 or more, got ${shape.length}`)
  if (context.input(1)) context.valuesOrRead(1)
  return sameAsInput(context)
}

function lowerTrilu(context: LowerContext): void {
  const k = context.has(1) ? (context.valuesOrRead(1)[0] ?? 0) : 0
  const attributes = { upper: ints(intAttribute(context.node, 'upper', 1)), k: ints(k) }
  context.step(steps.Trilu({ x: context.input(0) }, attributes), [context.output(0)])
}

const many = Number.POSITIVE_INFINITY

export const ops: readonly OpDef[] = [
  {
    opType: 'Slice',
    domain: '',
    inputs: [3, 5],
    outputs: [1, 1],
    infer: inferSlice,
    lower: lowerSlice,
    quantize: { kind: 'shared' },
  },
  {
    opType: 'Split',
    domain: '',
    inputs: [1, 2],
    outputs: [1, many],
    infer: inferSplit,
    lower: lowerSplit,
    quantize: { kind: 'shared' },
  },
  {
    opType: 'Concat',
    domain: '',
    inputs: [1, many],
    outputs: [1, 1],
    infer: inferConcat,
    lower: lowerConcat,
    quantize: { kind: 'activation' },
  },
  {
    opType: 'Pad',
    domain: '',
    inputs: [2, 4],
    outputs: [1, 1],
    infer: inferPad,
    lower: lowerPad,
    quantize: { kind: 'shared' },
  },
  { opType: 'Trilu', domain: '', inputs: [1, 2], outputs: [1, 1], infer: inferTrilu, lower: lowerTrilu },
]
