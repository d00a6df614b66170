/**
 * Scales of weights: of the largest magnitude, or of the least squared error. Weights are symmetric: a channel has a scale
 * and no zero point of its own. Big tensors are worked on in slices, so the event loop goes on.
 */
import { OctavoError } from '../../errors.js'
import type { Pace } from '../../event-loop.js'
import { type Format, roundHalfEven } from '../../graph/format.js'
import type { ConstantTensor } from '../../graph/graph.js'
import { floatsOf } from '../../graph/tensor.js'
import { MIN_SCALE, symmetricZeroPoint, toScale } from './affine.js'

/** Shares of the largest magnitude that are tried: coarsely, then around the best. */
const COARSE = 16
const FINE = 8
const LEAST_SHARE = 0.5
/** Elements between two looks at the clock, times the candidates tried on each. */
const SLICE = 1 << 15

/** A float32 tensor seen as [outer, channels, inner]. */
export interface ChannelView {
  readonly values: Float32Array
  readonly outer: number
  readonly channels: number
  readonly inner: number
}

/** `axis` undefined: the whole tensor is one channel. */
export function channelView(tensor: ConstantTensor, axis: number | undefined): ChannelView {
  const values = floatsOf(tensor)
  if (axis === undefined) return { values, outer: 1, channels: 1, inner: values.length }
  const size = (dims: readonly number[]) => dims.reduce((p, d) => p * d, 1)
  return {
    values,
    outer: size(tensor.dims.slice(0, axis)),
    channels: tensor.dims[axis] as number,
    inner: size(tensor.dims.slice(axis + 1)),
  }
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

/** The scale of every channel: of its largest magnitude, or of the least squared error. */
export async function weightScales(
  view: ChannelView,
  range: 'minmax' | 'mse',
  format: Format,
  name: string,
  pace: Pace,
): Promise<Float32Array> {
  const levels = weightLevels(format)
  const scales = new Float32Array(view.channels)
  const channel = new Float32Array(view.outer * view.inner)
  for (let c = 0; c < view.channels; ++c) {
    gather(view, c, channel)
    const largest = await largestMagnitude(channel, levels, name, pace)
    const share = largest === 0 || range === 'minmax' ? 1 : await bestShare(channel, largest, levels, pace)
    scales[c] = largest === 0 ? 1 : toScale((largest * share) / levels.high)
  }
  return scales
}

function gather({ values, outer, channels, inner }: ChannelView, c: number, into: Float32Array): void {
  for (let o = 0; o < outer; ++o) {
    const start = (o * channels + c) * inner
    if (inner === 1) into[o] = values[start] as number
    else into.set(values.subarray(start, start + inner), o * inner)
  }
}

/** Of what is negative, as much as it takes of the positive levels where the negative ones are more or fewer. */
async function largestMagnitude(
  values: Float32Array,
  { low, high }: Levels,
  name: string,
  pace: Pace,
): Promise<number> {
  const negative = high / low
  let largest = 0
  for (let from = 0; from < values.length; from += SLICE) {
    const to = Math.min(values.length, from + SLICE)
    for (let i = from; i < to; ++i) {
      const value = values[i] as number
      const m = value < 0 ? value * negative : Math.abs(value)
      if (m > largest) largest = m
      else if (Number.isNaN(m)) throw nonFiniteError(name, m)
    }
    await pace.breathe()
  }
  if (largest === Number.POSITIVE_INFINITY) throw nonFiniteError(name, largest)
  return largest < MIN_SCALE ? 0 : largest
}

function nonFiniteError(name: string, value: number): OctavoError {
  return new OctavoError('ERR_MODEL_INVALID', `Weights '${name}' hold ${value}; expected finite numbers.`, {
    tensor: name,
  })
}

/** The share of the largest magnitude whose scale gives the least squared error. */
async function bestShare(values: Float32Array, largest: number, levels: Levels, pace: Pace): Promise<number> {
  const coarse = (1 - LEAST_SHARE) / COARSE
  let [best, least] = [1, await squaredError(values, largest / levels.high, levels, pace)]
  const consider = async (share: number) => {
    const error = await squaredError(values, (largest * share) / levels.high, levels, pace)
    if (error < least) [best, least] = [share, error]
  }
  for (let k = 1; k <= COARSE; ++k) await consider(1 - k * coarse)
  const centre = best
  for (let k = 1; k <= FINE / 2; ++k) {
    const offset = (k * coarse) / (FINE / 2 + 1)
    if (centre + offset <= 1) await consider(centre + offset)
    await consider(centre - offset)
  }
  return best
}

async function squaredError(
  values: Float32Array,
  scale: number,
  { low, high }: Levels,
  pace: Pace,
): Promise<number> {
  const factor = 1 / scale
  let sum = 0
  for (let from = 0; from < values.length; from += SLICE) {
    const to = Math.min(values.length, from + SLICE)
    for (let i = from; i < to; ++i) {
      const x = (values[i] as number) * factor
      const d = x - roundHalfEven(Math.min(high, Math.max(low, x)))
      sum += d * d
    }
    if (to - from === SLICE) await pace.breathe()
  }
  await pace.breathe()
  return sum * scale * scale
}
