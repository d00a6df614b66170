/** Weight-only formats: scales of the weights that share them, and the nearest levels. */
import type { Pace } from '../../event-loop.js'
import { encodeLevel, middleOf } from '../../graph/format.js'
import type { ConstantTensor } from '../../graph/graph.js'
import { elementCount, floatsOf, tensorOf } from '../../graph/tensor.js'
import type { WeightOnly } from '../assign/weight-choice.js'
import { scaleDims } from '../assign/weight-only.js'
import type { Method } from '../quantization.js'
import { groupLevel, groupScale } from '../scales/group-scale.js'
import { weightRows } from '../scales/weight-rows.js'
import { nonFiniteError } from '../scales/weight-scales.js'
import { levelsTensor } from '../write/tensors.js'
import type { PackedWeights } from './packed-weights.js'

/** Elements between two looks at the event loop. */
const SLICE = 2 ** 16

export const roundWeightOnly: Method = async (quantization) => {
  const { graph, weightOnly, pace, onProgress } = quantization
  const packed = new Map<string, PackedWeights>()
  const known = new Map<string, PackedWeights>()
  for (const [name, chosen] of weightOnly) {
    const { weights, format, granularity, settings } = chosen
    const key = JSON.stringify([weights, format, granularity, settings.symmetric, settings.range])
    const tensor = graph.constants.get(weights) as ConstantTensor
    // What a recipe says of a node is the same in every assignment.
    const made = quantization.packed.get(name) ?? known.get(key) ?? (await pack(tensor, chosen, pace))
    known.set(key, made)
    packed.set(name, made)
    onProgress({ phase: 'weights', done: packed.size, total: weightOnly.size })
  }
  return { ...quantization, packed }
}

async function pack(
  tensor: ConstantTensor,
  { weights, format, granularity, settings }: WeightOnly,
  pace: Pace,
): Promise<PackedWeights> {
  const { dims } = tensor
  const { rows, length, block, at, scaleAt } = weightRows(dims, granularity)
  const values = floatsOf(tensor)
  const shape = scaleDims(dims, granularity)
  const levels = new Uint8Array(elementCount(dims))
  const scales = new Float32Array(elementCount(shape))
  const zeros = new Uint8Array(scales.length)
  const options = { format, symmetric: settings.symmetric, leastSquares: settings.range === 'mse' }
  let done = 0
  for (let row = 0; row < rows; row++) {
    for (let start = 0; start < length; start += block) {
      const end = Math.min(length, start + block)
      const part = new Float32Array(end - start)
      for (let j = start; j < end; j++) part[j - start] = values[at(row, j)] as number
      const bad = part.find((v) => !Number.isFinite(v))
      if (bad !== undefined) throw nonFiniteError(weights, bad)
      const group = groupScale(part, options)
      for (let j = start; j < end; j++) {
        levels[at(row, j)] = groupLevel(part[j - start] as number, group, format)
      }
      const place = scaleAt(row, Math.floor(start / block))
      scales[place] = group.scale
      zeros[place] = encodeLevel(group.zeroPoint, format)
      done += end - start
      if (done < SLICE) continue
      done = 0
      await pace.breathe()
    }
  }
  const plain = settings.symmetric && middleOf(format) === 0 && zeros.every((z) => z === 0)
  return {
    levels: levelsTensor(format, dims, levels),
    scales: tensorOf('float32', shape, scales),
    zeroPoints: plain ? undefined : levelsTensor(format, shape, zeros),
  }
}
