/**
 * Weights to int8, symmetric in [-127, 127]: -128 would need wider kernels (products of two -128 wrap in int16).
 * Big tensors are worked on in slices, so the event loop goes on.
 */

import { OctavoError } from '../errors.js'
import type { Pace } from '../event-loop.js'
import type { ConstantTensor } from '../graph/graph.js'
import { floatsOf } from '../graph/tensor.js'
import { MIN_SCALE, toScale } from './params.js'
import type { QuantizedType } from './recipe.js'

/** Largest level. */
const TOP = 127
/** Shares of the largest magnitude that are tried: coarsely, then around the best. */
const COARSE = 16
const FINE = 8
const LEAST_SHARE = 0.5
/** Adding and subtracting it rounds a float64 below 2^51 half to even. */
const ROUNDER = 1.5 * 2 ** 52
/** Elements between two looks at the clock, times the candidates tried on each. */
const SLICE = 1 << 15

export interface QuantizedWeights {
  readonly dtype: QuantizedType
  readonly dims: readonly number[]
  /** One byte an element, in the order of the tensor. */
  readonly data: Uint8Array
  /** One scale, or one per channel. */
  readonly scales: Float32Array
  readonly zeroPoint: number
}

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

/** The scale of every channel: of its largest magnitude, or of the least squared error. */
export async function weightScales(
  view: ChannelView,
  range: 'minmax' | 'mse',
  name: string,
  pace: Pace,
): Promise<Float32Array> {
  const scales = new Float32Array(view.channels)
  const channel = new Float32Array(view.outer * view.inner)
  for (let c = 0; c < view.channels; ++c) {
    gather(view, c, channel)
    const largest = await largestMagnitude(channel, name, pace)
    const share = largest === 0 || range === 'minmax' ? 1 : await bestShare(channel, largest, pace)
    scales[c] = largest === 0 ? 1 : toScale((largest * share) / TOP)
  }
  return scales
}

/** Rounds the weights with these scales. */
export async function quantizeWeights(
  tensor: ConstantTensor,
  view: ChannelView,
  scales: Float32Array,
  dtype: QuantizedType,
  pace: Pace,
): Promise<QuantizedWeights> {
  const zeroPoint = dtype === 'uint8' ? 128 : 0
  const data = new Uint8Array(view.values.length)
  const { values, outer, channels, inner } = view
  for (let o = 0; o < outer; ++o) {
    for (let c = 0; c < channels; ++c) {
      const scale = scales[c] as number
      const start = (o * channels + c) * inner
      for (let from = 0; from < inner; from += SLICE) {
        const to = Math.min(inner, from + SLICE)
        for (let i = start + from; i < start + to; ++i) {
          data[i] = round((values[i] as number) / scale, TOP) + zeroPoint
        }
        await pace.breathe()
      }
    }
  }
  return { dtype, dims: tensor.dims, data, scales, zeroPoint }
}

function round(x: number, top: number): number {
  const clamped = Math.min(top, Math.max(-top, x))
  return clamped + ROUNDER - ROUNDER
}

function gather({ values, outer, channels, inner }: ChannelView, c: number, into: Float32Array): void {
  for (let o = 0; o < outer; ++o) {
    const start = (o * channels + c) * inner
    if (inner === 1) into[o] = values[start] as number
    else into.set(values.subarray(start, start + inner), o * inner)
  }
}

async function largestMagnitude(values: Float32Array, name: string, pace: Pace): Promise<number> {
  let largest = 0
  for (let from = 0; from < values.length; from += SLICE) {
    const to = Math.min(values.length, from + SLICE)
    for (let i = from; i < to; ++i) {
      const m = Math.abs(values[i] as number)
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
async function bestShare(values: Float32Array, largest: number, pace: Pace): Promise<number> {
  const coarse = (1 - LEAST_SHARE) / COARSE
  let [best, least] = [1, await squaredError(values, largest / TOP, pace)]
  const consider = async (share: number) => {
    const error = await squaredError(values, (largest * share) / TOP, pace)
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

async function squaredError(values: Float32Array, scale: number, pace: Pace): Promise<number> {
  const factor = 1 / scale
  let sum = 0
  for (let from = 0; from < values.length; from += SLICE) {
    const to = Math.min(values.length, from + SLICE)
    for (let i = from; i < to; ++i) {
      const x = (values[i] as number) * factor
      const d = x - round(x, TOP)
      sum += d * d
    }
    if (to - from === SLICE) await pace.breathe()
  }
  await pace.breathe()
  return sum * scale * scale
}
