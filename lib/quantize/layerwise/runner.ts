/**
 * Runs a graph layer by layer on held samples, while a method changes it: what bias correction, GPTQ, AdaRound, sensitivity
 * and block distillation have in common. The graph is cut after chosen nodes; all samples move through one cut together,
 * so a layer sees what the already changed layers before it give, and a whole method costs about one pass over the samples.
 *
 * At each layer: `run` it as often as the method needs (its inputs, observations of any of its values, probes of its own);
 * change its constants or nodes with `replace`; `advance` runs it as it is then and goes to the next. `shift` adds to a
 * value that has been computed already. `graph` is the graph with all changes.
 */
import { readAll } from '../../calibrate/collect.js'
import { openEngine } from '../../calibrate/engine.js'
import { type Sample, sizeOf } from '../../calibrate/reservoir.js'
import { Pace } from '../../event-loop.js'
import type { ConstantTensor, Graph, Node, TensorType } from '../../graph/graph.js'
import type { Observation } from '../../statistics/observation.js'
import type { Statistics } from '../../statistics/record.js'
import { partGraph } from './part-graph.js'
import { cutAfter, type Part } from './parts.js'
import { type Shift, withShifts } from './shift.js'

/** Values of held samples between two layers take no more than this. */
const MAX_FRONTIER_BYTES = 32 * 2 ** 20

export interface LayerwiseOptions {
  /** The graph that is run and changed. */
  readonly graph: Graph
  /** Types of its values. */
  readonly types: ReadonlyMap<string, TensorType>
  /** Feeds of the graph; at least one. */
  readonly samples: readonly Sample[]
  /** Names of the nodes that end a layer. */
  readonly cuts: Iterable<string>
  /** Bytes that the values between two layers may take (default 32 MiB): the last samples are dropped where they take more. */
  readonly maxBytes?: number
  /** The unchanged model, cut at the nodes that correspond: it advances with this one, on the same samples. */
  readonly reference?: LayerwiseRunner
  readonly signal?: AbortSignal
}

/** What one run of a layer is for. */
export interface LayerRun {
  /** Nodes after those of the layer, for this run only. */
  readonly probe?: Probe
  /** Values of the layer or the probe that are observed. */
  readonly observe?: readonly Observation[]
  /** Values of the layer or the probe that are returned for every sample. */
  readonly outputs?: readonly string[]
}

export interface Probe {
  /** They read what the layer reads or makes. */
  readonly nodes: readonly Node[]
  readonly constants: ReadonlyMap<string, ConstantTensor>
}

export interface LayerResult {
  /** What was seen of each observed value, over all held samples. */
  readonly statistics: ReadonlyMap<string, Statistics>
  /** The `outputs` of each held sample. */
  readonly outputs: readonly Sample[]
}

/** What replaces nodes and constants of the same names. */
export interface Replacement {
  readonly nodes?: readonly Node[]
  readonly constants?: ReadonlyMap<string, ConstantTensor>
}

const NO_PROBE: Probe = { nodes: [], constants: new Map() }

export class LayerwiseRunner {
  readonly reference: LayerwiseRunner | undefined
  private readonly parts: readonly Part[]
  private readonly nodes = new Map<string, Node>()
  private readonly constants: Map<string, ConstantTensor>
  private readonly shifts: Shift[] = []
  private readonly maxBytes: number
  private frontier: readonly Sample[]
  private position = 0

  constructor(private readonly options: LayerwiseOptions) {
    const { graph, samples, cuts, maxBytes = MAX_FRONTIER_BYTES, reference } = options
    if (samples.length === 0) throw new RangeError('expected at least one sample')
    const names = new Set(cuts)
    this.parts = cutAfter(graph, new Set(graph.nodes.filter((node) => names.has(node.name))))
    this.constants = new Map(graph.constants)
    this.maxBytes = maxBytes
    this.reference = reference
    this.frontier = samples
    this.keepWithinBudget()
  }

  /** The layer that is next to run, with its replaced nodes; undefined after the last. */
  get layer(): Part | undefined {
    const part = this.parts[this.position]
    return part && { ...part, nodes: this.current(part.nodes) }
  }

  /** The node that the layer ends with. */
  get last(): Node | undefined {
    return this.layer?.nodes.at(-1)
  }

  /** The frontier: for every held sample, what the layer and those after it read of what was computed. Shifts are not in it. */
  get samples(): readonly Sample[] {
    return this.frontier
  }

  /** The whole graph with everything that was replaced; shifts are not in it. */
  get graph(): Graph {
    const { graph } = this.options
    return { ...graph, nodes: this.current(graph.nodes), constants: this.constants }
  }

  /** Nodes and constants of this layer or later ones become these. A node must read and make the values that the old one did. */
  replace({ nodes = [], constants = new Map() }: Replacement): void {
    for (const node of nodes) this.nodes.set(node.name, node)
    for (const [name, tensor] of constants) this.constants.set(name, tensor)
  }

  /** Adds to a value that was computed already: later layers read the sum. `tensor` broadcasts to the value. */
  shift(value: string, tensor: ConstantTensor): void {
    this.shifts.push({ value, tensor })
  }

  /** Runs the layer on all held samples, and stays at it. */
  async run(run: LayerRun = {}): Promise<LayerResult> {
    return (await this.runLayer(run, [])).result
  }

  /** Runs the layer as it is now on all held samples, and goes to the next. */
  async advance(run: LayerRun = {}): Promise<LayerResult> {
    const { live, outputs } = this.required()
    const { result, made } = await this.runLayer(run, outputs)
    this.frontier = this.frontier.map((sample, i) => {
      const kept = Object.entries(sample).filter(([name]) => live.has(name))
      return { ...Object.fromEntries(kept), ...made[i] }
    })
    ++this.position
    await this.reference?.advance()
    this.keepWithinBudget()
    return result
  }

  private async runLayer(
    { probe = NO_PROBE, observe = [], outputs = [] }: LayerRun,
    kept: readonly string[],
  ): Promise<{ readonly result: LayerResult; readonly made: readonly Sample[] }> {
    const { graph: whole, types, signal } = this.options
    const layer = this.required()
    const shifted = withShifts(layer.nodes, layer.inputs, this.shifts)
    const graph = partGraph({
      name: whole.name,
      nodes: [...shifted.nodes, ...probe.nodes],
      inputs: layer.inputs,
      outputs: [...kept, ...outputs, ...observe.map((o) => o.value)],
      constants: new Map([...this.constants, ...shifted.constants, ...probe.constants]),
      samples: this.frontier,
      types,
    })
    const engine = await openEngine(graph, { observe, signal })
    try {
      const results: Sample[] = []
      const wanted = [...new Set([...kept, ...outputs])]
      for (const sample of this.frontier) {
        const feeds = Object.fromEntries(graph.inputs.map((name) => [name, sample[name] as Sample[string]]))
        results.push(await engine.run(feeds, wanted))
      }
      const statistics = await readAll(engine, observe, new Pace(signal))
      const only = (names: readonly string[]) =>
        results.map((made) => Object.fromEntries(names.map((n) => [n, made[n] as Sample[string]])))
      return { result: { statistics, outputs: only(outputs) }, made: only(kept) }
    } finally {
      engine.release()
    }
  }

  private required(): Part {
    const { layer } = this
    if (!layer) throw new RangeError('there is no layer after the last cut')
    return layer
  }

  private current(nodes: readonly Node[]): readonly Node[] {
    return this.nodes.size === 0 ? nodes : nodes.map((node) => this.nodes.get(node.name) ?? node)
  }

  /** Drops the last samples whose values do not fit the budget, here and in the reference; one stays in any case. */
  private keepWithinBudget(): void {
    let bytes = 0
    const fits = this.frontier.findIndex((sample) => {
      bytes += sizeOf(sample)
      return bytes > this.maxBytes
    })
    const own = fits < 0 ? this.frontier.length : Math.max(1, fits)
    const count = Math.min(own, this.reference?.frontier.length ?? own)
    this.frontier = this.frontier.slice(0, count)
    if (this.reference) this.reference.frontier = this.reference.frontier.slice(0, count)
  }
}
