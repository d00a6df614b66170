/** Normalizations over the last axes, with and without the mean, and their fusions with a residual sum. */

import type { Dim } from '../../graph/expr.js'
import {
  type ConstantTensor,
  floatAttribute,
  type Graph,
  intAttribute,
  type Node,
} from '../../graph/graph.js'
import { floats, ints } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { binaryStep } from '../core/float-steps.js'
import { floatInput, floatOutput } from '../core/float32.js'
import { formatShape, normalizeAxis } from '../core/helpers.js'
import type { InferContext, Inferred, LowerContext, OpDef } from '../core/opdef.js'
import { checkFloat, compatible } from './conv.js'

function axisOf(ctx: InferContext | LowerContext, rank: number): number {
  return normalizeAxis(ctx, intAttribute(ctx.node, 'axis', -1), rank)
}

function inferLayerNorm(ctx: InferContext): readonly Inferred[] {
  const x = ctx.required(0)
  checkFloat(ctx, x.dtype)
  const axis = axisOf(ctx, x.shape.length)
  const normalized = x.shape.slice(axis)
  for (const i of [1, 2]) {
    const shape = ctx.input(i)?.shape
    if (shape !== undefined) checkBroadcast(ctx, i, shape, normalized)
  }
  const statistics: Inferred = {
    dtype: 'float32',
    shape: x.shape.map((size, i) => (i < axis ? size : 1)),
  }
  return [{ dtype: x.dtype, shape: x.shape }, statistics, statistics]
}

function checkBroadcast(ctx: InferContext, i: number, shape: readonly Dim[], to: readonly Dim[]): void {
  const missing = to.length - shape.length
  if (missing < 0 || !shape.every((size, k) => size === 1 || compatible(size, to[k + missing] as Dim))) {
    ctx.fail(`input ${i} to broadcast to ${formatShape(to)}, got ${formatShape(shape)}`)
  }
}

function lowerLayerNorm(ctx: LowerContext, rms: boolean): void {
  const shape = ctx.inputType(0).shape
  const axis = axisOf(ctx, shape.length)
  const normalized = shape.slice(axis)
  const inputs = {
    x: floatInput(ctx, 0),
    scale: fullSize(ctx, 1, normalized),
    bias: rms ? -1 : fullSize(ctx, 2, normalized),
  }
  const attributes = normAttributes(ctx, axis, rms)
  floatOutput(ctx, 0, undefined, (y) => {
    const output = y < 0 ? ctx.scratch('float32', shape, 'normalized') : y
    // RMSNormalization of onnxruntime has the inverse deviation as its second output.
    const statistics = rms ? [-1, ctx.output(1)] : [ctx.output(1), ctx.output(2)]
    ctx.step(steps.LayerNorm(inputs, attributes), [output, ...statistics])
  })
}

/** Scale or bias with all the sizes of the normalized axes, as the step takes it. */
function fullSize(ctx: LowerContext, i: number, normalized: readonly Dim[]): number {
  const tensor = floatInput(ctx, i)
  if (tensor < 0) return -1
  const { shape } = ctx.inputType(i)
  const padded = [...new Array<Dim>(normalized.length - shape.length).fill(1), ...shape]
  const aligned = ctx.alias(tensor, padded)
  if (padded.every((size, k) => size !== 1 || normalized[k] === 1)) return aligned
  const expanded = ctx.scratch('float32', normalized)
  ctx.step(steps.Expand({ x: aligned }), [expanded])
  return expanded
}

function normAttributes(ctx: LowerContext, axis: number, rms: boolean) {
  return {
    axis: ints(axis),
    epsilon: floats(floatAttribute(ctx.node, 'epsilon', 1e-5)),
    rms: ints(rms ? 1 : 0),
  }
}

/** com.microsoft: input, skip, gamma, (beta,) bias -> normalized, mean, inverse deviation, their sum. */
function inferSkip(ctx: InferContext): readonly Inferred[] {
  const x = ctx.required(0)
  const skip = ctx.required(1)
  checkFloat(ctx, x.dtype)
  checkBroadcast(ctx, 1, skip.shape, x.shape)
  const last = x.shape[x.shape.length - 1] as Dim
  for (let i = 2; i < ctx.inputs; ++i) {
    const shape = ctx.input(i)?.shape
    if (shape !== undefined && (shape.length !== 1 || !compatible(shape[0] as Dim, last))) {
      ctx.fail(`input ${i} of sizes ${formatShape([last])}, got ${formatShape(shape)}`)
    }
  }
  const statistics: Inferred = { dtype: 'float32', shape: [...x.shape.slice(0, -1), 1] }
  return [{ dtype: x.dtype, shape: x.shape }, statistics, statistics, { dtype: x.dtype, shape: x.shape }]
}

function lowerSkip(ctx: LowerContext, rms: boolean): void {
  const { shape } = ctx.inputType(0)
  const bias = rms ? 3 : 4
  const addSkip = (sum: number) => binaryStep(ctx, 'add', floatInput(ctx, 0), floatInput(ctx, 1), sum)
  const addAll = (sum: number) => {
    if (!ctx.has(bias)) {
      addSkip(sum)
      return
    }
    const partial = ctx.scratch('float32', shape, 'skip')
    addSkip(partial)
    binaryStep(ctx, 'add', partial, floatInput(ctx, bias), sum)
  }
  let sum = ctx.scratch('float32', shape, 'sum')
  if (ctx.hasOutput(3)) {
    floatOutput(ctx, 3, undefined, (y) => {
      sum = y
      addAll(y)
    })
  } else addAll(sum)
  const inputs = { x: sum, scale: floatInput(ctx, 2), bias: rms ? -1 : floatInput(ctx, 3) }
  floatOutput(ctx, 0, undefined, (y) => {
    const output = y < 0 ? ctx.scratch('float32', shape, 'normalized') : y
    const attributes = {
      ...normAttributes(ctx, shape.length - 1, rms),
      epsilon: floats(floatAttribute(ctx.node, 'epsilon', 1e-12)),
    }
    ctx.step(steps.LayerNorm(inputs, attributes), [output, ctx.output(1), ctx.output(2)])
  })
}

function layerNorm(opType: string, domain: OpDef['domain'], rms: boolean): OpDef {
  return {
    opType,
    domain,
    inputs: [2, rms ? 2 : 3],
    outputs: [1, rms ? 2 : 3],
    infer: (ctx) => {
      const [y, mean, inverse] = inferLayerNorm(ctx) as [Inferred, Inferred, Inferred]
      return rms ? [y, inverse] : [y, mean, inverse]
    },
    lower: (ctx) => lowerLayerNorm(ctx, rms),
  }
}

function skipNorm(opType: string, rms: boolean): OpDef {
  return {
    opType,
    domain: 'com.microsoft',
    inputs: [3, rms ? 4 : 5],
    outputs: [1, 4],
    infer: inferSkip,
    lower: (ctx) => lowerSkip(ctx, rms),
  }
}

/** RMSNormalization is of opset 23; before, it is x / sqrt(mean(x * x) + epsilon) * scale. */
function decomposeRms(node: Node, graph: Graph): readonly Node[] {
  const [x, scale] = node.inputs as [string, string]
  const rank = graph.types.get(x)?.shape?.length
  const axis = intAttribute(node, 'axis', -1)
  const count = axis < 0 ? -axis : (rank ?? axis + 1) - axis
  const value = (part: string) => `${node.name}/${part}`
  const make = (opType: string, inputs: readonly string[], part: string, output = value(part)): Node => ({
    ...{ name: value(`${part}_node`), opType, domain: '', inputs, outputs: [output], attributes: {} },
  })
  const constant = (part: string, tensor: ConstantTensor): Node => ({
    ...make('Constant', [], part),
    attributes: { value: { kind: 'tensor', value: tensor } },
  })
  const axes = BigInt64Array.from({ length: count }, (_, i) => BigInt(i - count))
  const epsilon = Float32Array.of(floatAttribute(node, 'epsilon', 1e-5))
  return [
    constant('axes', { dtype: 'int64', dims: [count], data: new Uint8Array(axes.buffer) }),
    constant('epsilon', { dtype: 'float32', dims: [], data: new Uint8Array(epsilon.buffer) }),
    make('Mul', [x, x], 'square'),
    make('ReduceMean', [value('square'), value('axes')], 'mean'),
    make('Add', [value('mean'), value('epsilon')], 'sum'),
    make('Sqrt', [value('sum')], 'root'),
    make('Div', [x, value('root')], 'normalized'),
    make('Mul', [value('normalized'), scale], 'scaled', node.outputs[0]),
  ]
}

export const ops: readonly OpDef[] = [
  layerNorm('LayerNormalization', '', false),
  { ...layerNorm('RMSNormalization', '', true), decompose: decomposeRms },
  // onnxruntime's name for RMSNormalization, which it writes without a domain.
  layerNorm('SimplifiedLayerNormalization', '', true),
  layerNorm('SimplifiedLayerNormalization', 'com.microsoft', true),
  skipNorm('SkipLayerNormalization', false),
  skipNorm('SkipSimplifiedLayerNormalization', true),
]
