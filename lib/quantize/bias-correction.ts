/**
 * Sequential bias correction (Nagel et al. 2019, Data-Free Quantization, section 4.2; here with data): what
 * quantization took from the mean of every output channel is added to the bias, layer after layer, each
 * measured behind layers that are already quantized and corrected. The quantized graph is cut after every
 * product; held samples move through the cuts together, so all of it costs about one pass.
 *
 * Where bounds (Relu, Clip) follow, the mean behind them is what is corrected: most of what is below a Relu is never seen,
 * and its error says little about what is above. One Newton step gives the shift that does it.
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
  /** The value behind bias and bounds in the float graph. */
  readonly floatValue: string
  /** The value behind the bias in the quantized graph. */
  readonly value: string
  /** Relu and Clip that follow, in order. */
  readonly bounds: readonly Node[]
  readonly channelAxis: number
  /** What can be added: rounds a wanted correction to what the bias can hold. */
  correctable(delta: Float64Array): Float64Array
}

export interface CorrectionOptions {
  readonly signal?: AbortSignal
  readonly onTarget?: (done: number, total: number) => void
}

/** Of the elements of a value, by channel. */
interface Sums {
  readonly sums: Float64Array
  /** Elements of one channel. */
  readonly count: number
}

/** What a target gives behind its bounds, as it is and with `step` added before them. */
interface Response {
  readonly actual: Sums
  readonly shifted: Sums | undefined
  readonly step: number
}

/** Rarely active channels are corrected as if they were active this often: few elements tell little. */
const LEAST_ACTIVE = 1 / 64

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
    const step = stepOf(float, target)
    const probe = probeOf(target, step)
    const base = withConstants(quantized, pending)
    const constants = new Map([...base.constants, ...probe.constants])
    const probed = { ...corrected, nodes: [...corrected.nodes, ...probe.nodes] }
    const graph = segmentGraph({ ...base, constants }, probed, probe.observed, frontier, (name) =>
      types.get(name),
    )
    const { next, sums } = await runSegment(
      graph,
      corrected,
      probe.observed,
      target.channelAxis,
      frontier,
      options.signal,
    )
    const response = { actual: sums[0] as Sums, shifted: sums[1], step }
    const delta = target.correctable(shiftFor(expected.get(target) ?? [], frontier.length, response))
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
): Promise<ReadonlyMap<Target, readonly Sums[]>> {
  const means = new Map<Target, Sums[]>(targets.map((t) => [t, []]))
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

/** A step that is small against what the target gives: one level of its range. */
function stepOf(float: Engine, { floatValue }: Target): number {
  const { min, max } = parseStatistics(float.observed(floatValue), BINS)
  return Math.fround((max - min) / 256) || 1
}

interface Probe {
  readonly nodes: readonly Node[]
  readonly constants: ReadonlyMap<string, ConstantTensor>
  /** The value behind the bounds, then the one with the step. */
  readonly observed: readonly string[]
}

/** Nodes that apply the bounds of a target to its value, and to its value plus a step. */
function probeOf({ value, bounds }: Target, step: number): Probe {
  if (bounds.length === 0) return { nodes: [], constants: new Map(), observed: [value] }
  const constant = `${value}:step`
  const shifted = `${value}:shifted`
  const nodes: Node[] = [addNode(value, constant, shifted)]
  const observed = [value, shifted].map((source) =>
    bounds.reduce((input, bound, i) => {
      const output = `${source}:bounded${i}`
      nodes.push({
        ...bound,
        name: output,
        inputs: [input, ...bound.inputs.slice(1)],
        outputs: [output],
      })
      return output
    }, source),
  )
  const tensor: ConstantTensor = {
    dtype: 'float32',
    dims: [],
    data: new Uint8Array(Float32Array.of(step).buffer),
  }
  return { nodes, constants: new Map([[constant, tensor]]), observed }
}

/** Runs the samples through a segment: what lives behind it, and the sums of the observed values. */
async function runSegment(
  graph: Graph,
  segment: Segment,
  observed: readonly string[],
  channelAxis: number,
  samples: readonly Sample[],
  signal: AbortSignal | undefined,
): Promise<{ readonly next: readonly Sample[]; readonly sums: readonly Sums[] }> {
  const bins = 2
  const observe = observed.map((value) => ({ value, channelAxis }))
  const engine = await openEngine(graph, { observe, bins, signal })
  try {
    const next: Sample[] = []
    for (const sample of samples) {
      const feeds = Object.fromEntries(graph.inputs.map((name) => [name, sample[name] as Sample[string]]))
      const made = await engine.run(feeds, segment.outputs)
      const kept = Object.entries(sample).filter(([name]) => segment.live.has(name))
      next.push({ ...Object.fromEntries(kept), ...made })
    }
    const sums = observed.map((value) => {
      const { channelSums, count } = parseStatistics(engine.observed(value), bins)
      return { sums: channelSums.slice(), count: count / channelSums.length }
    })
    return { next, sums }
  } finally {
    engine.release()
  }
}

/** What must be added before the bounds so that the means behind them are the float ones, over the first `samples` samples. */
function shiftFor(
  expected: readonly Sums[],
  samples: number,
  { actual, shifted, step }: Response,
): Float64Array {
  const used = expected.slice(0, samples)
  const count = used.reduce((n, m) => n + m.count, 0)
  return actual.sums.map((sum, c) => {
    const wanted = used.reduce((n, m) => n + (m.sums[c] ?? 0), 0) / count
    const slope = shifted ? ((shifted.sums[c] as number) - sum) / (actual.count * step) : 1
    const delta = slope > 0 ? (wanted - sum / actual.count) / Math.max(slope, LEAST_ACTIVE) : 0
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
  const add = addNode(value, constant, sum)
  const nodes = segment.nodes.map((n) => ({
    ...n,
    inputs: n.inputs.map(rename),
    ...(n.captures ? { captures: n.captures.map(rename) } : {}),
  }))
  return { ...segment, nodes: [add, ...nodes] }
}

function addNode(a: string, b: string, sum: string): Node {
  return { name: sum, opType: 'Add', domain: '', inputs: [a, b], outputs: [sum], attributes: {} }
}

function withConstants(graph: Graph, corrections: readonly Correction[]): Graph {
  const added = corrections.map((c): [string, ConstantTensor] => [c.constant, c.tensor])
  return { ...graph, constants: new Map([...graph.constants, ...added]) }
}
