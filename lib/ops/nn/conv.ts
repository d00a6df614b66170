/** Conv and ConvTranspose, 1 to 3 spatial axes; computed channels-last. */

import type { DType } from '../../graph/dtype.js'
import { isFloat } from '../../graph/dtype.js'
import { type Dim, formatDim, mul, sameDim } from '../../graph/expr.js'
import { intAttribute, intsAttribute, type Node } from '../../graph/graph.js'
import { ints } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { floatInput, floatOutput } from '../core/float32.js'
import { formatShape, type NodeContext } from '../core/helpers.js'
import type { InferContext, Inferred, LowerContext, OpDef } from '../core/opdef.js'
import { channelsLast, slidingWindow, transposedWindow, type Window, windowStepAttributes } from './window.js'

/** A convolution with its sizes: x [N, C, spatial...], w [M, C/g, k...]; transposed: w [C, M/g, k...]. */
export interface Convolution {
  readonly window: Window
  readonly group: number
  /** In the model's layout. */
  readonly outputShape: readonly Dim[]
}

/** Checks sizes and attributes of a convolution. `bias`: its sizes, where there is one. */
export function convolution(
  ctx: NodeContext,
  x: readonly Dim[],
  w: readonly Dim[],
  bias: readonly Dim[] | undefined,
  transposed = false,
): Convolution {
  const spatial = x.length - 2
  if (spatial < 1 || spatial > 3) ctx.fail(`an input of rank 3 to 5, got rank ${x.length}`)
  if (w.length !== x.length) {
    ctx.fail(`weights of rank ${x.length}, as the input, got rank ${w.length}`)
  }
  const [batch, channels] = [x[0] as Dim, x[1] as Dim]
  const [w0, w1] = [w[0] as Dim, w[1] as Dim]
  const group = intAttribute(ctx.node, 'group', 1)
  if (!Number.isSafeInteger(group) || group < 1) ctx.fail(`group of at least 1, got ${group}`)
  const needed = transposed ? w0 : mul(w1, group)
  if (!compatible(channels, needed)) {
    ctx.fail(
      transposed
        ? `weights for ${formatDim(channels)} input channels, got ${formatShape(w)}`
        : `${formatDim(channels)} input channels to be group * weights' axis 1, got ${group} * ${formatDim(w1)}`,
    )
  }
  if (typeof w0 === 'number' && w0 % group !== 0) {
    ctx.fail(`axis 0 of the weights to be a multiple of group ${group}, got ${w0}`)
  }
  const outputs = transposed ? mul(w1, group) : w0
  if (bias !== undefined && (bias.length !== 1 || !compatible(bias[0] as Dim, outputs))) {
    ctx.fail(`a bias of sizes ${formatShape([outputs])}, got ${formatShape(bias)}`)
  }
  const kernel = kernelSizes(ctx, w.slice(2))
  const window = (transposed ? transposedWindow : slidingWindow)(ctx, x.slice(2), kernel)
  return { window, group, outputShape: [batch, outputs, ...window.output] }
}

/** Attributes of the steps Conv, QConv, ConvTranspose, QConvTranspose. */
export function convolutionAttributes({ window, group }: Convolution) {
  return { ...windowStepAttributes(window), group: ints(group) }
}

/** The convolution of a node whose x, w and bias are inputs `at`. */
export function loweredConvolution(
  ctx: LowerContext,
  [x, w, b]: readonly [number, number, number],
  transposed = false,
): Convolution {
  const bias = ctx.has(b) ? ctx.inputType(b).shape : undefined
  return convolution(ctx, ctx.inputType(x).shape, ctx.inputType(w).shape, bias, transposed)
}

function inferConv(ctx: InferContext, transposed: boolean): readonly Inferred[] {
  const x = ctx.required(0)
  const w = ctx.required(1)
  checkFloat(ctx, x.dtype)
  if (w.dtype !== x.dtype) ctx.fail(`weights of type ${x.dtype}, as the input, got ${w.dtype}`)
  const { outputShape } = convolution(ctx, x.shape, w.shape, ctx.input(2)?.shape, transposed)
  return [{ dtype: x.dtype, shape: outputShape }]
}

function lowerConv(ctx: LowerContext, transposed: boolean): void {
  const conv = loweredConvolution(ctx, [0, 1, 2], transposed)
  const layout = channelsLast(ctx.inputType(0).shape.length)
  const inputs = { x: floatInput(ctx, 0, layout), w: floatInput(ctx, 1), bias: floatInput(ctx, 2) }
  const build = transposed ? steps.ConvTranspose : steps.Conv
  floatOutput(ctx, 0, layout, (y) => {
    ctx.step(build(inputs, convolutionAttributes(conv)), [y])
  })
}

/** Sizes of the kernel: those of the weights, which an attribute kernel_shape must repeat. */
function kernelSizes(ctx: NodeContext, fromWeights: readonly Dim[]): readonly number[] {
  const given = intsAttribute(ctx.node, 'kernel_shape')
  const attribute = given !== undefined && given.length > 0 ? given : undefined
  if (attribute !== undefined && attribute.length !== fromWeights.length) {
    ctx.fail(`kernel_shape of ${fromWeights.length} sizes, got [${attribute.join(', ')}]`)
  }
  return fromWeights.map((size, i) => {
    const stated = attribute?.[i]
    if (typeof size === 'number') {
      if (stated !== undefined && stated !== size) {
        ctx.fail(`kernel_shape ${formatShape(fromWeights)} of the weights, got [${attribute?.join(', ')}]`)
      }
      return size
    }
    return stated ?? ctx.fail('kernel_shape, because the sizes of the weights are not constant')
  })
}

/** False only where the two sizes cannot be equal. */
export function compatible(a: Dim, b: Dim): boolean {
  return typeof a !== 'number' || typeof b !== 'number' ? true : sameDim(a, b)
}

export function checkFloat(ctx: NodeContext, dtype: DType): void {
  if (!isFloat(dtype)) ctx.fail(`a floating-point input, got ${dtype}`)
}

/** Axis 1 of transposed weights holds the output channels of one group: with more groups there is one scale for all. */
function transposedChannelAxis(node: Node): number {
  return intAttribute(node, 'group', 1) === 1 ? 1 : -1
}

export const ops: readonly OpDef[] = [
  {
    opType: 'Conv',
    domain: '',
    inputs: [2, 3],
    outputs: [1, 1],
    infer: (ctx) => inferConv(ctx, false),
    lower: (ctx) => lowerConv(ctx, false),
    quantize: { kind: 'weighted', weight: 1, bias: 2, channelAxis: () => 0 },
  },
  {
    opType: 'ConvTranspose',
    domain: '',
    inputs: [2, 3],
    outputs: [1, 1],
    infer: (ctx) => inferConv(ctx, true),
    lower: (ctx) => lowerConv(ctx, true),
    quantize: { kind: 'weighted', weight: 1, bias: 2, channelAxis: transposedChannelAxis },
  },
]
