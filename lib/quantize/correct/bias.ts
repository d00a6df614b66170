/**
 * Sequential bias correction (Nagel et al. 2019, Data-Free Quantization, section 4.2; here with data): what quantization
 * took from the mean of every output channel is added to the bias, layer after layer, each measured after layers that
 * are already quantized and corrected.
 *
 * Where bounds (Relu, Clip) follow, the mean after them is what is corrected: most of what is below a Relu is never seen,
 * and its error says little about what is above. One Newton step gives the shift that does it.
 */
import type { HeldSample } from '../../calibrate/reservoir.js'
import type { ConstantTensor, Graph, TensorType } from '../../graph/graph.js'
import { producersOf } from '../../graph/graph.js'
import { tensorOf } from '../../graph/tensor.js'
import { inferGraph } from '../../ops/core/infer.js'
import { LayerwiseRunner } from '../layerwise/runner.js'
import type { Method } from '../quantization.js'
import type { BiasTarget } from './bias-target.js'
import { biasTargets, withCorrections } from './bias-targets.js'
import { type ChannelSums, channelSumsOf, floatSums } from './channel-sums.js'
import { probeOf } from './probe.js'

export const correctBiases: Method = async (quantization) => {
  const { recipe, samples, quantized, inference, onProgress, signal } = quantization
  if (!recipe.biasCorrection || !quantized || samples.length === 0) return quantization
  const { graph } = quantized
  const corrections = await biasCorrections({
    graph,
    // What only feeds decide is known of float values.
    types: new Map([...inference.types, ...inferGraph(graph, { partial: true }).types]),
    samples,
    targets: biasTargets(quantization, quantized),
    onTarget: (done, total) => onProgress({ phase: 'bias', done, total }),
    signal,
  })
  return {
    ...quantization,
    quantized: { ...quantized, graph: withCorrections(graph, corrections) },
    corrections,
    uncorrected: quantized,
  }
}

export interface CorrectionInput {
  /** The QDQ graph, and the types of its values. */
  readonly graph: Graph
  readonly types: ReadonlyMap<string, TensorType>
  /** With the sums by channel of the float values of all targets. */
  readonly samples: readonly HeldSample[]
  readonly targets: readonly BiasTarget[]
  readonly onTarget?: (done: number, total: number) => void
  readonly signal?: AbortSignal
}

/** The correction of every target, one number per channel. */
export async function biasCorrections({
  graph,
  types,
  samples,
  targets,
  onTarget,
  signal,
}: CorrectionInput): Promise<ReadonlyMap<BiasTarget, Float64Array>> {
  const producers = producersOf(graph)
  const byNode = new Map(targets.map((target) => [producers.get(target.value)?.name ?? '', target]))
  const runner = new LayerwiseRunner({
    graph,
    types,
    samples: samples.map(({ sample }) => sample),
    cuts: byNode.keys(),
    signal,
  })
  const corrections = new Map<BiasTarget, Float64Array>()
  for (let node = runner.last; node; node = runner.last) {
    const target = byNode.get(node.name) as BiasTarget
    const { step } = target
    const probe = probeOf(target, step)
    const expected = floatSums(samples.slice(0, runner.samples.length), target.floatValue)
    const { statistics } = await runner.advance({
      probe,
      observe: probe.observed.map((value) => ({
        kind: 'channelSums',
        value,
        channelAxis: target.channelAxis,
      })),
    })
    const [actual, stepped] = probe.observed.map((value) => channelSumsOf(statistics.get(value)))
    const delta = target.bias.correctable(
      shiftFor(expected, { actual: actual as ChannelSums, stepped, step }),
    )
    corrections.set(target, delta)
    runner.shift(target.value, shiftTensor(target, delta, types))
    onTarget?.(corrections.size, targets.length)
  }
  return corrections
}

/** What a target gives after its bounds, as it is and with `step` added before them. */
interface Response {
  readonly actual: ChannelSums
  readonly stepped: ChannelSums | undefined
  readonly step: number
}

/** Rarely active channels are corrected as if they were active this often: few elements tell little. */
const LEAST_ACTIVE = 1 / 64

/** What must be added before the bounds so that the means after them are the float ones, `expected` of each sample. */
function shiftFor(expected: readonly ChannelSums[], { actual, stepped, step }: Response): Float64Array {
  const count = expected.reduce((n, m) => n + m.count, 0)
  return actual.sums.map((sum, c) => {
    const wanted = expected.reduce((n, m) => n + (m.sums[c] ?? 0), 0) / count
    const slope = stepped ? ((stepped.sums[c] as number) - sum) / (actual.count * step) : 1
    const delta = slope > 0 ? (wanted - sum / actual.count) / Math.max(slope, LEAST_ACTIVE) : 0
    return Number.isFinite(delta) ? delta : 0
  })
}

/** One number per channel, in a shape that broadcasts to the value. */
function shiftTensor(
  { value, floatValue, channelAxis }: BiasTarget,
  delta: Float64Array,
  types: ReadonlyMap<string, TensorType>,
): ConstantTensor {
  const rank = (types.get(value) ?? types.get(floatValue))?.shape?.length ?? 1
  const dims = Array.from({ length: rank }, (_, axis) => (axis === channelAxis ? delta.length : 1))
  return tensorOf('float32', dims, Float32Array.from(delta))
}
