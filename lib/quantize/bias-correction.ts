/**
 * Sequential bias correction (Nagel et al. 2019, Data-Free Quantization, section 4.2; here with data): what
 * quantization took from the mean of every output channel is added to the bias, layer after layer, each
 * measured behind layers that are already quantized and corrected. The quantized graph is cut after every
 * product; held samples move through the cuts together, so all of it costs about one pass.
 */

import { BINS } from '../calibrate/collect.js'
import { type Engine, openEngine } from '../calibrate/engine.js'
import { type Sample, sizeOf } from '../calibrate/reservoir.js'
import { parseStatistics } from '../calibrate/statistics.js'
import type { ConstantTensor, Graph, Node, TensorType } from '../graph/graph.js'
import { cutAfter, type Segment, segmentGraph } from './segments.js'

/** Values of held samples between two segments take no more than this. */
const MAX_FRONTIER_BYTES = 32 * 2 ** 20

/** A product whose bias can be corrected. */
export interface Target {
  /** The value after bias and before activation, in the float graph and in the quantized one. */
  readonly floatValue: string
  readonly value: string
  readonly channelAxis: number
  /** What can be added: rounds a wanted correction to what the bias can hold. */
  correctable(delta: Float64Array): Float64Array
}

export interface CorrectionOptions {
  readonly signal?: AbortSignal
  readonly onTarget?: (done: number, total: number) => void
}

interface Means {
  readonly sums: Float64Array
  readonly count: number
}

/**
 * The correction of every target, per channel. `float`: the engine that calibrated, which observes the float values of
 * all targets; `quantized`: the QDQ graph with `types` of its values.
 */
export async function correctBiases(
  float: Engine,
  quantized: Graph,
  types: ReadonlyMap<string, TensorType>,
  samples: readonly Sample[],
  targets: readonly Target[],
  options: CorrectionOptions = {},
): Promise<ReadonlyMap<Target, Float64Array>> {
  const expected = await floatMeans(float, samples, targets)
  const makers = new Map<string, Node>()
  for (const node of quantized.nodes) for (const name of node.outputs) makers.set(name, node)
  const byNode = new Map<Node, Target>()
  for (const target of targets) {
    const node = makers.get(target.value)
    if (node) byNode.set(node, target)
  }
  const corrections = new Map<Target, Float64Array>()
  let frontier = samples
  const pending: Correction[] = []
  for (const segment of cutAfter(quantized, new Set(byNode.keys()))) {
    const target = byNode.get(segment.nodes.at(-1) as Node) as Target
    frontier = withinBudget(frontier)
    const corrected = pending.reduce(withCorrection, segment)
    const base = withConstants(quantized, pending)
    const graph = segmentGraph(base, corrected, [target.value], frontier, (name) => types.get(name))
    const { next, means } = await runSegment(graph, corrected, target, frontier, options.signal)
    const delta = target.correctable(difference(expected.get(target) ?? [], frontier.length, means))
    corrections.set(target, delta)
    pending.push(correctionOf(target, delta, types))
    frontier = next
    options.onTarget?.(corrections.size, targets.length)
  }
  return corrections
}

/** Sums and counts per channel, per sample, of the float values of all targets. */
async function floatMeans(
  engine: Engine,
  samples: readonly Sample[],
  targets: readonly Target[],
): Promise<ReadonlyMap<Target, readonly Means[]>> {
  const means = new Map<Target, Means[]>(targets.map((t) => [t, []]))
  const read = (target: Target) => parseStatistics(engine.observed(target.floatValue), BINS)
  let before = new Map(targets.map((t) => [t, read(t)]))
  for (const sample of samples) {
    await engine.run(sample, [])
    const after = new Map(targets.map((t) => [t, read(t)]))
    for (const [target, now] of after) {
      const old = before.get(target)
      const sums = now.channelSums.map((s, c) => s - (old?.channelSums[c] ?? 0))
      means.get(target)?.push({ sums, count: (now.count - (old?.count ?? 0)) / sums.length })
    }
    before = after
  }
  return means
}

async function runSegment(
  graph: Graph,
  segment: Segment,
  target: Target,
  samples: readonly Sample[],
  signal: AbortSignal | undefined,
): Promise<{ readonly next: readonly Sample[]; readonly means: Means }> {
  const bins = 2
  const observe = [{ value: target.value, channelAxis: target.channelAxis }]
  const engine = await openEngine(graph, { observe, bins, signal })
  try {
    const next: Sample[] = []
    for (const sample of samples) {
      const feeds = Object.fromEntries(graph.inputs.map((name) => [name, sample[name] as Sample[string]]))
      const made = await engine.run(feeds, segment.outputs)
      const kept = Object.entries(sample).filter(([name]) => segment.live.has(name))
      next.push({ ...Object.fromEntries(kept), ...made })
    }
    const { channelSums, count } = parseStatistics(engine.observed(target.value), bins)
    return { next, means: { sums: channelSums, count: count / channelSums.length } }
  } finally {
    engine.release()
  }
}

/** Mean of the float output less mean of the quantized one, over the first `samples` samples. */
function difference(expected: readonly Means[], samples: number, actual: Means): Float64Array {
  const used = expected.slice(0, samples)
  const count = used.reduce((n, m) => n + m.count, 0)
  return actual.sums.map((sum, c) => {
    const wanted = used.reduce((n, m) => n + (m.sums[c] ?? 0), 0) / count
    const delta = wanted - sum / actual.count
    return Number.isFinite(delta) ? delta : 0
  })
}

/** The first samples whose values fit the budget; at least one. */
function withinBudget(samples: readonly Sample[]): readonly Sample[] {
  let bytes = 0
  const fits = samples.findIndex((sample) => {
    bytes += sizeOf(sample)
    return bytes > MAX_FRONTIER_BYTES
  })
  return fits < 0 ? samples : samples.slice(0, Math.max(1, fits))
}

/** A correction on its way to the values that were computed before it was known. */
interface Correction {
  readonly value: string
  readonly constant: string
  readonly tensor: ConstantTensor
}

function correctionOf(
  target: Target,
  delta: Float64Array,
  types: ReadonlyMap<string, TensorType>,
): Correction {
  const rank = types.get(target.value)?.shape?.length ?? 1
  const dims = Array.from({ length: rank }, (_, axis) => (axis === target.channelAxis ? delta.length : 1))
  const data = new Uint8Array(Float32Array.from(delta).buffer)
  return {
    value: target.value,
    constant: `${target.value}:correction`,
    tensor: { dtype: 'float32', dims, data },
  }
}

/** The segment reads `value + correction` where it read `value`. */
function withCorrection(segment: Segment, { value, constant }: Correction): Segment {
  if (!segment.inputs.includes(value)) return segment
  const sum = `${value}:corrected`
  const rename = (name: string) => (name === value ? sum : name)
  const add: Node = {
    name: sum,
    opType: 'Add',
    domain: '',
    inputs: [value, constant],
    outputs: [sum],
    attributes: {},
  }
  const nodes = segment.nodes.map((n) => ({
    ...n,
    inputs: n.inputs.map(rename),
    ...(n.captures ? { captures: n.captures.map(rename) } : {}),
  }))
  return { ...segment, nodes: [add, ...nodes] }
}

function withConstants(graph: Graph, corrections: readonly Correction[]): Graph {
  const added = corrections.map((c): [string, ConstantTensor] => [c.constant, c.tensor])
  return { ...graph, constants: new Map([...graph.constants, ...added]) }
}
