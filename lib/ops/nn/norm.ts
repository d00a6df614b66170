/** Normalizations over channels, groups and trailing axes. Float steps; the quantizer leaves them in float. */

import { type Dim, floorDiv } from '../../graph/expr.js'
import { floatAttribute, intAttribute, intsAttribute } from '../../graph/graph.js'
import { floats, ints } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { binaryStep, reduceStep, unaryStep } from '../core/float-steps.js'
import { floatInput, floatOutput, scalar } from '../core/float32.js'
import { formatShape, inLayout, type NodeContext, normalizeAxis } from '../core/helpers.js'
import type { InferContext, Inferred, LowerContext, OpDef } from '../core/opdef.js'
import { checkFloat, compatible } from './conv.js'

function inferBatchNorm(ctx: InferContext): readonly Inferred[] {
  const x = checkedInput(ctx, 2)
  for (let i = 1; i <= 4; ++i) checkChannels(ctx, i, x.shape[1] as Dim)
  const statistics = { dtype: ctx.required(3).dtype, shape: [x.shape[1] as Dim] }
  if (
    ctx.node.outputs.slice(1).some((name) => name !== '') &&
    intAttribute(ctx.node, 'training_mode', 0) === 0
  ) {
    ctx.fail(`1 output without training_mode, got ${ctx.node.outputs.length}`)
  }
  return [{ dtype: x.dtype, shape: x.shape }, statistics, statistics]
}

function lowerBatchNorm(ctx: LowerContext): void {
  const layout = ctx.sharedLayout()
  const x = floatInput(ctx, 0, layout)
  const [scale, bias] = [floatInput(ctx, 1), floatInput(ctx, 2)]
  const training = intAttribute(ctx.node, 'training_mode', 0) !== 0
  const [mean, variance] = training
    ? batchStatistics(ctx, x, layout)
    : [floatInput(ctx, 3), floatInput(ctx, 4)]
  const attributes = { ...epsilon(ctx, 1e-5), axis: ints(layout.indexOf(1)) }
  const inputs = { x, scale, bias, mean, variance }
  floatOutput(ctx, 0, layout, (y) => ctx.step(steps.BatchNorm(inputs, attributes), [y]))
  if (training) {
    runningAverage(ctx, 1, 3, mean)
    runningAverage(ctx, 2, 4, variance)
  }
}

/** Mean and variance of every channel of this batch, [C]. */
function batchStatistics(ctx: LowerContext, x: number, layout: readonly number[]): [number, number] {
  const shape = ctx.inputType(0).shape
  const channels = shape[1] as Dim
  const axes = layout.flatMap((axis, p) => (axis === 1 ? [] : [p]))
  const kept = layout.map((axis) => (axis === 1 ? channels : 1))
  const mean = ctx.scratch('float32', kept, 'mean')
  const variance = ctx.scratch('float32', kept, 'variance')
  const centred = ctx.scratch('float32', inLayout(shape, layout), 'centred')
  const squares = ctx.scratch('float32', inLayout(shape, layout), 'squares')
  reduceStep(ctx, 'mean', x, mean, axes)
  binaryStep(ctx, 'sub', x, mean, centred)
  binaryStep(ctx, 'mul', centred, centred, squares)
  reduceStep(ctx, 'mean', squares, variance, axes)
  return [ctx.alias(mean, [channels]), ctx.alias(variance, [channels])]
}

function runningAverage(ctx: LowerContext, output: number, input: number, current: number): void {
  if (!ctx.hasOutput(output)) return
  const momentum = floatAttribute(ctx.node, 'momentum', 0.9)
  const shape = ctx.outputType(output).shape
  const old = ctx.scratch('float32', shape)
  const fresh = ctx.scratch('float32', shape)
  unaryStep(ctx, ['affine'], floatInput(ctx, input), old, [momentum, 0])
  unaryStep(ctx, ['affine'], current, fresh, [1 - momentum, 0])
  floatOutput(ctx, output, undefined, (y) => binaryStep(ctx, 'add', old, fresh, y))
}

function inferInstanceNorm(ctx: InferContext): readonly Inferred[] {
  const x = checkedInput(ctx, 3)
  checkChannels(ctx, 1, x.shape[1] as Dim)
  checkChannels(ctx, 2, x.shape[1] as Dim)
  return [{ dtype: x.dtype, shape: x.shape }]
}

function inferGroupNorm(ctx: InferContext): readonly Inferred[] {
  const x = checkedInput(ctx, 2)
  const groups = groupCount(ctx)
  const channels = x.shape[1] as Dim
  if (typeof channels === 'number' && channels % groups !== 0) {
    ctx.fail(`channels to be a multiple of num_groups ${groups}, got ${channels}`)
  }
  for (const i of [1, 2]) {
    const { shape } = ctx.required(i)
    // Scale and bias per group are those of opset 18.
    if (shape.length !== 1 || !(shape[0] === groups || compatible(shape[0] as Dim, channels))) {
      ctx.fail(`input ${i} of sizes ${formatShape([channels])}, got ${formatShape(shape)}`)
    }
  }
  return [{ dtype: x.dtype, shape: x.shape }]
}

function groupCount(ctx: NodeContext): number {
  const groups = intAttribute(ctx.node, 'num_groups', 0)
  return Number.isSafeInteger(groups) && groups > 0
    ? groups
    : ctx.fail(`num_groups of at least 1, got ${groups}`)
}

function lowerGroupNorm(ctx: LowerContext, groups: number): void {
  const channels = ctx.inputType(0).shape[1] as Dim
  const perChannel = (i: number): number => {
    const tensor = floatInput(ctx, i)
    if (groups === 0 || ctx.inputType(i).shape[0] !== groups || channels === groups) return tensor
    const expanded = ctx.scratch('float32', [groups, floorDiv(channels, groups)])
    ctx.step(steps.Expand({ x: ctx.alias(tensor, [groups, 1]) }), [expanded])
    return ctx.alias(expanded, [channels])
  }
  const inputs = { x: floatInput(ctx, 0), scale: perChannel(1), bias: perChannel(2) }
  const attributes = { ...epsilon(ctx, 1e-5), groups: ints(groups) }
  floatOutput(ctx, 0, undefined, (y) => ctx.step(steps.InstanceNorm(inputs, attributes), [y]))
}

function inferLRN(ctx: InferContext): readonly Inferred[] {
  const x = checkedInput(ctx, 2)
  const size = intAttribute(ctx.node, 'size', 0)
  if (!Number.isSafeInteger(size) || size < 1) ctx.fail(`size of at least 1, got ${size}`)
  return [{ dtype: x.dtype, shape: x.shape }]
}

function lowerLRN(ctx: LowerContext): void {
  const layout = ctx.sharedLayout()
  const x = floatInput(ctx, 0, layout)
  const attributes = {
    axis: ints(layout.indexOf(1)),
    size: ints(intAttribute(ctx.node, 'size', 1)),
    alpha: floats(floatAttribute(ctx.node, 'alpha', 0.0001)),
    beta: floats(floatAttribute(ctx.node, 'beta', 0.75)),
    bias: floats(floatAttribute(ctx.node, 'bias', 1)),
  }
  floatOutput(ctx, 0, layout, (y) => ctx.step(steps.LRN({ x }, attributes), [y]))
}

function inferLpNorm(ctx: InferContext): readonly Inferred[] {
  const x = checkedInput(ctx, 1)
  const p = intAttribute(ctx.node, 'p', 2)
  if (p !== 1 && p !== 2) ctx.fail(`p to be 1 or 2, got ${p}`)
  normalizeAxis(ctx, intAttribute(ctx.node, 'axis', -1), x.shape.length)
  return [{ dtype: x.dtype, shape: x.shape }]
}

/** Where the norm is zero the result is zero: the divisor is at least the smallest normal number. */
function lowerLpNorm(ctx: LowerContext): void {
  const layout = ctx.sharedLayout()
  const shape = ctx.inputType(0).shape
  const axis = normalizeAxis(ctx, intAttribute(ctx.node, 'axis', -1), shape.length)
  const dims = layout.map((a) => (a === axis ? 1 : (shape[a] as Dim)))
  const x = floatInput(ctx, 0, layout)
  const norm = ctx.scratch('float32', dims, 'norm')
  const divisor = ctx.scratch('float32', dims, 'divisor')
  reduceStep(ctx, intAttribute(ctx.node, 'p', 2) === 1 ? 'l1' : 'l2', x, norm, [layout.indexOf(axis)])
  binaryStep(ctx, 'max', norm, scalar(ctx, 2 ** -126), divisor)
  floatOutput(ctx, 0, layout, (y) => binaryStep(ctx, 'div', x, divisor, y))
}

function inferMeanVariance(ctx: InferContext): readonly Inferred[] {
  const x = checkedInput(ctx, 1)
  meanVarianceAxes(ctx, x.shape.length)
  return [{ dtype: x.dtype, shape: x.shape }]
}

function meanVarianceAxes(ctx: NodeContext, rank: number): readonly number[] {
  return (intsAttribute(ctx.node, 'axes') ?? [0, 2, 3]).map((axis) => normalizeAxis(ctx, axis, rank))
}

/** (x - mean) / (deviation + 1e-9), the function body of the standard. */
function lowerMeanVariance(ctx: LowerContext): void {
  const layout = ctx.sharedLayout()
  const shape = ctx.inputType(0).shape
  const reduced = meanVarianceAxes(ctx, shape.length)
  const axes = reduced.map((axis) => layout.indexOf(axis)).sort((a, b) => a - b)
  const full = inLayout(shape, layout)
  const kept = layout.map((axis) => (reduced.includes(axis) ? 1 : (shape[axis] as Dim)))
  const [mean, variance, deviation] = [0, 0, 0].map(() => ctx.scratch('float32', kept)) as [
    number,
    number,
    number,
  ]
  const centred = ctx.scratch('float32', full, 'centred')
  const squares = ctx.scratch('float32', full, 'squares')
  const x = floatInput(ctx, 0, layout)
  reduceStep(ctx, 'mean', x, mean, axes)
  binaryStep(ctx, 'sub', x, mean, centred)
  binaryStep(ctx, 'mul', centred, centred, squares)
  reduceStep(ctx, 'mean', squares, variance, axes)
  unaryStep(ctx, ['sqrt', 'affine'], variance, deviation, [1, 1e-9])
  floatOutput(ctx, 0, layout, (y) => binaryStep(ctx, 'div', centred, deviation, y))
}

function checkedInput(ctx: InferContext, rank: number): ReturnType<InferContext['required']> {
  const x = ctx.required(0)
  checkFloat(ctx, x.dtype)
  if (x.shape.length < rank) ctx.fail(`an input of rank ${rank} or more, got rank ${x.shape.length}`)
  return x
}

function checkChannels(ctx: InferContext, i: number, channels: Dim): void {
  const { shape } = ctx.required(i)
  if (shape.length !== 1 || !compatible(shape[0] as Dim, channels)) {
    ctx.fail(`input ${i} of sizes ${formatShape([channels])}, got ${formatShape(shape)}`)
  }
}

function epsilon(ctx: NodeContext, fallback: number) {
  return { epsilon: floats(floatAttribute(ctx.node, 'epsilon', fallback)) }
}

export const ops: readonly OpDef[] = [
  {
    opType: 'BatchNormalization',
    domain: '',
    inputs: [5, 5],
    outputs: [1, 3],
    infer: inferBatchNorm,
    lower: lowerBatchNorm,
  },
  {
    opType: 'InstanceNormalization',
    domain: '',
    inputs: [3, 3],
    outputs: [1, 1],
    infer: inferInstanceNorm,
    lower: (ctx) => lowerGroupNorm(ctx, 0),
  },
  {
    opType: 'GroupNormalization',
    domain: '',
    inputs: [3, 3],
    outputs: [1, 1],
    infer: inferGroupNorm,
    lower: (ctx) => lowerGroupNorm(ctx, groupCount(ctx)),
  },
  { opType: 'LRN', domain: '', inputs: [1, 1], outputs: [1, 1], infer: inferLRN, lower: lowerLRN },
  {
    opType: 'LpNormalization',
    domain: '',
    inputs: [1, 1],
    outputs: [1, 1],
    infer: inferLpNorm,
    lower: lowerLpNorm,
  },
  {
    opType: 'MeanVarianceNormalization',
    domain: '',
    inputs: [1, 1],
    outputs: [1, 1],
    infer: inferMeanVariance,
    lower: lowerMeanVariance,
  },
]
