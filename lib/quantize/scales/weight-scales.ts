/**
 * Scales of weights: of the largest magnitude, or of the least squared error. Weights are symmetric: a channel has a scale
 * and no zero point of its own. The search is a native step, `WeightReach` (docs/steps.md).
 */
import { runStep } from '../../compile/run/run-step.js'
import { OctavoError } from '../../errors.js'
import type { Format } from '../../graph/format.js'
import type { ConstantTensor } from '../../graph/graph.js'
import { floatsOf, tensorOf } from '../../graph/tensor.js'
import { ints } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { symmetricZeroPoint, toScale } from './affine.js'

/** A tensor of weights whose channels, the indices of `axis`, have scales of their own; without an axis it has one scale. */
export interface Weights {
  /** float32. */
  readonly tensor: ConstantTensor
  readonly axis: number | undefined
  readonly channels: number
  /** Elements of one channel. */
  readonly length: number
}

export function weightsOf(tensor: ConstantTensor, axis: number | undefined): Weights {
  const float = tensor.dtype === 'float32' ? tensor : tensorOf('float32', tensor.dims, floatsOf(tensor))
  const elements = tensor.dims.reduce((n, d) => n * d, 1)
  const channels = axis === undefined ? 1 : (tensor.dims[axis] as number)
  return { tensor: float, axis, channels, length: channels === 0 ? 0 : elements / channels }
}

/** The attribute that names the axis to the steps. */
export function channelAxisOf({ axis }: Weights) {
  return { channel_axis: ints(axis ?? -1) }
}

/** Levels around the zero point: the least and the largest. */
interface Levels {
  readonly low: number
  readonly high: number
}

/** The levels of weights in a format, counted from the zero point. */
export function weightLevels(format: Format): Levels {
  const zeroPoint = symmetricZeroPoint(format)
  return { low: format.qmin - zeroPoint, high: format.qmax - zeroPoint }
}

/** The scale of every channel. `name` is for the ERR_MODEL_INVALID of weights that are infinite or NaN. */
export async function weightScales(
  weights: Weights,
  range: 'minmax' | 'mse',
  format: Format,
  name: string,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const { low, high } = weightLevels(format)
  const [reach = new ArrayBuffer(0)] = await runStep({
    constant: weights.tensor,
    operands: [tensorOf('float64', [2], Float64Array.of(low, high))],
    outputs: [{ dtype: 'float64', dims: [weights.channels] }],
    step: (x, [levels = -1]) =>
      steps.WeightReach(
        { x, levels },
        { ...channelAxisOf(weights), least_squares: ints(range === 'mse' ? 1 : 0) },
      ),
    signal,
  })
  return Float32Array.from(new Float64Array(reach), (r) => {
    if (!Number.isFinite(r)) throw nonFiniteError(name, r)
    return r === 0 ? 1 : toScale(r / high)
  })
}

/** Of weights that hold NaN or an infinity. */
export function nonFiniteError(name: string, value: number): OctavoError {
  return new OctavoError('ERR_MODEL_INVALID', `Weights '${name}' hold ${value}; expected finite numbers.`, {
    tensor: name,
  })
}
