/** Int8 weights of products whose activations are quantized while running: [k, n] of a matrix, as they are of a Conv. */
import { tensorOf } from '../../graph/tensor.js'
import type { WeightOnly } from '../assign/weight-choice.js'
import type { WeightBlocks } from '../scales/weight-blocks.js'
import type { PackedWeights } from './packed-weights.js'

/** `alpha`: what the real weights are multiplied by. */
export function runningWeights(
  { levels, scales }: WeightBlocks,
  dims: readonly number[],
  { summed }: WeightOnly,
  alpha: number,
): PackedWeights {
  const scale = tensorOf(
    'float32',
    [scales.length],
    scales.map((s) => Math.fround(s * alpha)),
  )
  if (dims.length !== 2 || summed === 0)
    return { levels: tensorOf('int8', dims, levels), scales: scale, zeroPoints: undefined }
  const [n = 0, k = 0] = dims
  const turned = new Uint8Array(levels.length)
  for (let i = 0; i < n; i++) for (let j = 0; j < k; j++) turned[j * n + i] = levels[i * k + j] as number
  return { levels: tensorOf('int8', [k, n], turned), scales: scale, zeroPoints: undefined }
}
