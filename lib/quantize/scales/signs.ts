/** Weights as signs: -1 and 1 times one number for each channel, or for all. */
import type { Pace } from '../../event-loop.js'
import { floatsOf } from '../../graph/tensor.js'
import { toScale } from './affine.js'
import { nonFiniteError, type Weights } from './weight-scales.js'

/** Elements between two looks at the clock. */
const SLICE = 1 << 14

/**
 * The mean magnitude of every channel: of all numbers it gives the least squared error, and of weights that are -s and s it is s.
 * `name` is for the ERR_MODEL_INVALID of weights that are infinite or NaN.
 */
export async function signScales(weights: Weights, name: string, pace: Pace): Promise<Float32Array> {
  const { tensor, channels, length } = weights
  const values = floatsOf(tensor)
  const channelOf = channelsOf(weights)
  const sums = new Float64Array(channels)
  for (let i = 0; i < values.length; i++) {
    if (i % SLICE === 0) await pace.breathe()
    const c = channelOf(i)
    sums[c] = (sums[c] as number) + Math.abs(values[i] as number)
  }
  return Float32Array.from(sums, (sum) => {
    if (!Number.isFinite(sum)) throw nonFiniteError(name, sum)
    return length === 0 ? 1 : toScale(sum / length)
  })
}

/** A byte each, modulo 256; 0 is taken as positive. */
export async function signLevels({ tensor }: Pick<Weights, 'tensor'>, pace: Pace): Promise<Uint8Array> {
  const values = floatsOf(tensor)
  const levels = new Uint8Array(values.length)
  for (let i = 0; i < values.length; i++) {
    if (i % SLICE === 0) await pace.breathe()
    levels[i] = (values[i] as number) < 0 ? 255 : 1
  }
  return levels
}

function channelsOf({ tensor, axis, channels }: Weights): (i: number) => number {
  if (axis === undefined) return () => 0
  const inner = tensor.dims.slice(axis + 1).reduce((n, d) => n * d, 1)
  return (i) => Math.floor(i / inner) % channels
}
