/**
 * Scales, zero points and levels of weight-only formats, by a native step, `WeightBlocks` (docs/steps.md): of the largest magnitude
 * or range of the weights that share a scale, or of least squared error.
 */
import { runStep } from '../../compile/run/run-step.js'
import type { Format, Granularity } from '../../graph/format.js'
import type { ConstantTensor } from '../../graph/graph.js'
import { elementCount, tensorOf } from '../../graph/tensor.js'
import { ints } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import type { WeightSettings } from '../recipe/types.js'
import { symmetricZeroPoint } from './affine.js'
import { nonFiniteError } from './weight-scales.js'

/** Weights in the order of their tensor, and what they share in the order of the tensor of scales. */
export interface WeightBlocks {
  /** A byte each, modulo 256. */
  readonly levels: Uint8Array
  /** Finite, of either sign, not 0. */
  readonly scales: Float32Array
  /** A byte each, modulo 256. */
  readonly zeroPoints: Uint8Array
}

interface Options {
  readonly format: Format
  readonly granularity: Granularity
  readonly settings: Pick<WeightSettings, 'symmetric' | 'range'>
  readonly signal?: AbortSignal
}

/** Of a float32 tensor. `name` is for the ERR_MODEL_INVALID of weights that are infinite or NaN. */
export async function weightBlocks(
  tensor: ConstantTensor,
  name: string,
  { format, granularity, settings, signal }: Options,
): Promise<WeightBlocks> {
  const count = elementCount(scaleDims(tensor.dims, granularity))
  const { qmin, qmax } = format
  const attributes = {
    channel_axis: ints('axis' in granularity ? granularity.axis : -1),
    block_size: ints(granularity.kind === 'block' ? granularity.size : 0),
    symmetric: ints(settings.symmetric ? 1 : 0),
    // DequantizeLinear of 8 bits has positive scales everywhere.
    either_sign: ints(format.bits < 8 ? 1 : 0),
    least_squares: ints(settings.range === 'mse' ? 1 : 0),
  }
  const [scales, zeroPoints, levels] = await runStep({
    constant: tensor,
    operands: [tensorOf('float64', [3], Float64Array.of(qmin, qmax, symmetricZeroPoint(format)))],
    outputs: [
      { dtype: 'float32', dims: [count] },
      { dtype: 'uint8', dims: [count] },
      { dtype: 'uint8', dims: tensor.dims },
    ],
    step: (x, [bounds = -1]) => steps.WeightBlocks({ x, bounds }, attributes),
    signal,
  })
  const made = {
    levels: new Uint8Array(levels ?? []),
    scales: new Float32Array(scales ?? []),
    zeroPoints: new Uint8Array(zeroPoints ?? []),
  }
  const bad = made.scales.find((s) => !Number.isFinite(s))
  if (bad !== undefined) throw nonFiniteError(name, bad)
  return made
}

/** Sizes of the tensor of scales; the last block of an axis may be shorter. */
export function scaleDims(dims: readonly number[], granularity: Granularity): readonly number[] {
  switch (granularity.kind) {
    case 'channel':
      return [dims[granularity.axis] as number]
    case 'block':
      return dims.map((d, i) => (i === granularity.axis ? Math.ceil(d / granularity.size) : d))
    default:
      return []
  }
}
