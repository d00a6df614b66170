/** Weights rounded to the nearest level by a native step, `WeightLevels` (docs/steps.md). */
import { runStep } from '../../compile/run/run-step.js'
import { type Format, isSigns } from '../../graph/format.js'
import { tensorOf } from '../../graph/tensor.js'
import { steps } from '../../plan/build.js'
import type { Method } from '../quantization.js'
import { symmetricZeroPoint } from '../scales/affine.js'
import type { Layer } from '../scales/layer.js'
import { signLevels } from '../scales/signs.js'
import { channelAxisOf, type Weights, weightLevels, weightsOf } from '../scales/weight-scales.js'

export const roundNearest: Method = async (quantization) => {
  const { graph, layers, pace, signal } = quantization
  const levels = new Map<Layer, Uint8Array>()
  for (const layer of layers.values()) {
    const tensor = graph.constants.get(layer.weights)
    if (!tensor) throw new RangeError(`no constant ${layer.weights}`)
    const weights = weightsOf(tensor, layer.axis)
    const rounded = isSigns(layer.format)
      ? signLevels(weights, pace)
      : nearestLevels(weights, layer.scales, layer.format, signal)
    levels.set(layer, await rounded)
  }
  return { ...quantization, levels }
}

/** One byte an element, in the order of the tensor; `scales` are those of the channels. */
export async function nearestLevels(
  weights: Weights,
  scales: Float32Array,
  format: Format,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const { low, high } = weightLevels(format)
  const [levels = new ArrayBuffer(0)] = await runStep({
    constant: weights.tensor,
    operands: [
      tensorOf('float32', [scales.length], scales),
      tensorOf('float64', [3], Float64Array.of(low, high, symmetricZeroPoint(format))),
    ],
    outputs: [{ dtype: 'uint8', dims: weights.tensor.dims }],
    step: (x, [s = -1, bounds = -1]) => steps.WeightLevels({ x, scales: s, bounds }, channelAxisOf(weights)),
    signal,
  })
  return new Uint8Array(levels)
}
