/** Weight-only formats: levels and scales of the weights, in the form that the file has. */

import type { Pace } from '../../event-loop.js'
import { encodeLevel, FORMATS, isSigns, middleOf } from '../../graph/format.js'
import { type ConstantTensor, floatAttribute } from '../../graph/graph.js'
import { tensorOf } from '../../graph/tensor.js'
import type { WeightOnly } from '../assign/weight-choice.js'
import type { Method } from '../quantization.js'
import { signLevels, signScales } from '../scales/signs.js'
import { scaleDims, type WeightBlocks, weightBlocks } from '../scales/weight-blocks.js'
import { weightsOf } from '../scales/weight-scales.js'
import { levelsTensor } from '../write/tensors.js'
import { nbitsMatrix, nbitsTable } from './nbits.js'
import type { PackedWeights } from './packed-weights.js'
import { runningWeights } from './running.js'

export const roundWeightOnly: Method = async (quantization) => {
  const { graph, weightOnly, pace, signal, onProgress } = quantization
  const packed = new Map<string, PackedWeights>()
  const known = new Map<string, PackedWeights>()
  for (const [name, chosen] of weightOnly) {
    const { node, weights, format, granularity, settings, form } = chosen
    const { symmetric, range } = settings
    const key = JSON.stringify([
      weights,
      format,
      granularity,
      symmetric,
      range,
      form,
      alphaOf(chosen),
      node.opType,
    ])
    const tensor = graph.constants.get(weights) as ConstantTensor
    const make = async () => {
      const made = isSigns(format)
        ? await signBlocks(tensor, chosen, pace)
        : await weightBlocks(tensor, weights, { format, granularity, settings, signal })
      return pack(made, tensor.dims, chosen, pace)
    }
    // What a recipe says of a node is the same in every assignment.
    const found = quantization.packed.get(name) ?? known.get(key) ?? (await make())
    known.set(key, found)
    packed.set(name, found)
    onProgress({ phase: 'weights', done: packed.size, total: weightOnly.size })
  }
  return { ...quantization, packed }
}

async function signBlocks(
  tensor: ConstantTensor,
  { weights: name, granularity }: WeightOnly,
  pace: Pace,
): Promise<WeightBlocks> {
  const weights = weightsOf(tensor, granularity.kind === 'channel' ? granularity.axis : undefined)
  const scales = await signScales(weights, name, pace)
  const levels = await signLevels(weights, pace)
  return { levels, scales, zeroPoints: new Uint8Array(scales.length) }
}

/** Gemm's factor is among the scales where a product without one takes its place. */
function alphaOf({ node, form }: WeightOnly): number {
  return form.kind !== 'dq' && node.opType === 'Gemm' ? floatAttribute(node, 'alpha', 1) : 1
}

async function pack(
  made: WeightBlocks,
  dims: readonly number[],
  chosen: WeightOnly,
  pace: Pace,
): Promise<PackedWeights> {
  const { node, format, granularity, form, summed = 1 } = chosen
  if (form.kind === 'dynamic') return runningWeights(made, dims, chosen, alphaOf(chosen))
  if (form.kind === 'nbits') {
    const options = { dims, format, granularity, block: form.block }
    return node.opType === 'Gather'
      ? nbitsTable(made, options)
      : nbitsMatrix(made, { ...options, summed, alpha: alphaOf(chosen), pace })
  }
  const shape = scaleDims(dims, granularity)
  const middle = encodeLevel(middleOf(format), FORMATS.uint8)
  const plain = middle === 0 && made.zeroPoints.every((z) => z === 0)
  return {
    levels: levelsTensor(format, dims, made.levels),
    scales: tensorOf('float32', shape, made.scales),
    zeroPoints: plain ? undefined : levelsTensor(format, shape, made.zeroPoints),
  }
}
