/** Weights that are rounded already: on the levels of scales that the file states, they lose nothing more. */

import type { Format } from '../../graph/format.js'
import { floatsOf } from '../../graph/tensor.js'
import { type Weights, weightLevels } from './weight-scales.js'

/** A float32 product of level and scale, divided by the scale, is as near to the level as this. */
const TOLERANCE = 1e-4

/** The scale of every channel, from the first of the stored ones by which all weights are levels of the format. */
export function scalesOfLevels(
  weights: Weights,
  format: Format,
  stored: readonly Float32Array[],
): Float32Array | undefined {
  const fitting = stored.find(
    (scales) =>
      (scales.length === 1 || scales.length === weights.channels) && areLevels(weights, format, scales),
  )
  if (!fitting) return undefined
  return Float32Array.from(
    { length: weights.channels },
    (_, c) => fitting[fitting.length === 1 ? 0 : c] as number,
  )
}

function areLevels({ tensor, axis, channels }: Weights, format: Format, scales: Float32Array): boolean {
  const { low, high } = weightLevels(format)
  const values = floatsOf(tensor)
  const inner = axis === undefined ? 1 : tensor.dims.slice(axis + 1).reduce((n, d) => n * d, 1)
  for (let i = 0; i < values.length; i++) {
    const scale = scales[scales.length === 1 ? 0 : Math.floor(i / inner) % channels] as number
    const level = (values[i] as number) / scale
    const nearest = Math.round(level)
    if (!(Math.abs(level - nearest) <= TOLERANCE) || nearest < low || nearest > high) return false
  }
  return true
}
