/** Weights rounded to the nearest level. Big tensors are worked on in slices, so the event loop goes on. */
import type { Pace } from '../../event-loop.js'
import { type Format, roundHalfEven } from '../../graph/format.js'
import type { Method } from '../quantization.js'
import { symmetricZeroPoint } from '../scales/affine.js'
import type { Layer } from '../scales/layers.js'
import { type ChannelView, channelView, weightLevels } from '../scales/weight-scales.js'

/** Elements between two looks at the clock. */
const SLICE = 1 << 15

export const roundNearest: Method = async (quantization) => {
  const { graph, layers, pace } = quantization
  const levels = new Map<Layer, Uint8Array>()
  for (const layer of layers.values()) {
    const tensor = graph.constants.get(layer.weights)
    if (!tensor) throw new RangeError(`no constant ${layer.weights}`)
    levels.set(layer, await nearestLevels(channelView(tensor, layer.axis), layer.scales, layer.format, pace))
  }
  return { ...quantization, levels }
}

/** One byte an element, in the order of the tensor; `scales` are those of the channels. */
export async function nearestLevels(
  { values, outer, channels, inner }: ChannelView,
  scales: Float32Array,
  format: Format,
  pace: Pace,
): Promise<Uint8Array> {
  const zeroPoint = symmetricZeroPoint(format)
  const { low, high } = weightLevels(format)
  const levels = new Uint8Array(values.length)
  for (let o = 0; o < outer; ++o) {
    for (let c = 0; c < channels; ++c) {
      const scale = scales[c] as number
      const start = (o * channels + c) * inner
      for (let from = 0; from < inner; from += SLICE) {
        const to = Math.min(inner, from + SLICE)
        for (let i = start + from; i < start + to; ++i) {
          const x = Math.min(high, Math.max(low, (values[i] as number) / scale))
          levels[i] = roundHalfEven(x) + zeroPoint
        }
        await pace.breathe()
      }
    }
  }
  return levels
}
