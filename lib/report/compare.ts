/** compare(): a float model and its quantized form on the same samples, streamed. */
import { inputsOf } from '../calibrate/collect.js'
import { type DataSource, emptyDataError, samplesOf } from '../calibrate/data.js'
import { type Engine, type EngineTensor, openEngine, prepare } from '../calibrate/engine.js'
import { checkFeeds, isEmptyBatch } from '../calibrate/feeds.js'
import { OctavoError, rangeError, typeError } from '../errors.js'
import { Pace } from '../event-loop.js'
import { numbersOf } from '../graph/tensor.js'
import { readModel } from '../onnx/index.js'
import { argmaxRows, MetricSums, type Metrics } from '../statistics/metrics.js'
import { type LayerPair, layerPairs } from './layers.js'

/** Options of `compare`. */
export interface CompareOptions {
  /** Samples to run both models on; streamed, never held. One pass is enough. */
  readonly data: DataSource
  /**
   * Class of every sample, from 0, in the order of the samples (a list where a sample is a batch). Default: none, and no
   * accuracy.
   */
  readonly labels?: readonly (number | readonly number[])[]
  /** true: compares every layer too. Default false. */
  readonly layers?: boolean
  /** Called after each sample; `total` is undefined where `data` is no array. */
  readonly onProgress?: (done: number, total: number | undefined) => void
  /** Aborting it stops between two samples or steps; `compare` then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** How far an output of the two models is apart, over all samples. */
export interface OutputComparison extends Metrics {
  /** Name of the output, which both models have. */
  readonly name: string
  /**
   * Share of the rows (along the last axis) whose largest element is at the same place, 0 to 1. For outputs of rank 1 to 3
   * with at least two columns; otherwise absent.
   */
  readonly top1Agreement?: number
  /**
   * With `labels`, for the first output that has rows of classes: the share of the rows whose largest element is the
   * label, 0 to 1.
   */
  readonly accuracy?: {
    /** Of the first model. */
    readonly float: number
    /** Of the second model. */
    readonly int8: number
  }
}

/** How far a value inside of the two models is apart, over all samples. */
export interface LayerComparison extends Metrics {
  /** Name of the value in both models, as it is after preparation. */
  readonly name: string
  /** Operator of the node that computes it in the float model. */
  readonly opType: string
}

/** What `compare` found. */
export interface Comparison {
  /** Samples that were run. */
  readonly samples: number
  /** One for each output that both models have, in the order of the first model. */
  readonly outputs: readonly OutputComparison[]
  /**
   * With the option `layers`: the float32 values that both models have, in the order of the graph. Errors are those that
   * have gathered up to there.
   */
  readonly layers?: readonly LayerComparison[]
}

export async function compare(
  float: string | Uint8Array,
  int8: string | Uint8Array,
  options: CompareOptions,
): Promise<Comparison> {
  if (typeof options !== 'object' || options === null || options.data === undefined) {
    throw typeError("'options.data' is missing: compare() needs samples ({ [input]: Tensor }) to run.")
  }
  const { signal } = options
  const [a, b] = [await prepared(float, signal), await prepared(int8, signal)]
  const outputs = a.graph.outputs.filter((name) => b.graph.outputs.includes(name))
  if (outputs.length === 0) {
    throw new OctavoError(
      'ERR_MODEL_INVALID',
      `The models have no output in common: ${quoted(a.graph.outputs)} and ${quoted(b.graph.outputs)}.`,
    )
  }
  const extra = b.graph.inputs.filter((name) => !a.graph.inputs.includes(name))
  if (extra.length > 0) {
    throw new OctavoError(
      'ERR_MODEL_INVALID',
      `The second model has inputs that the first does not have: ${quoted(extra)}; the first has ${quoted(a.graph.inputs)}.`,
    )
  }
  const layers = options.layers ? layerPairs(a.graph, b.graph, a.info) : []
  const pace = new Pace(signal)
  const engineA = await openEngine(a.graph, { extraOutputs: layers.map((l) => l.float), signal })
  try {
    const engineB = await openEngine(b.graph, { extraOutputs: layers.map((l) => l.quantized), signal })
    try {
      const run = new ComparisonRun(engineA, engineB, outputs, layers, options, pace)
      return await run.over(inputsOf(a.graph, a.info))
    } finally {
      engineB.release()
    }
  } finally {
    engineA.release()
  }
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(', ')
}

async function prepared(model: string | Uint8Array, signal: AbortSignal | undefined) {
  const { graph } = await readModel(model, { signal })
  return prepare(graph, signal)
}

class OutputTally {
  readonly sums = new MetricSums()
  rows = 0
  agreeing = 0
  labelled = 0
  readonly correct = { float: 0, int8: 0 }

  constructor(readonly name: string) {}

  async add(
    a: EngineTensor,
    b: EngineTensor,
    label: number | readonly number[] | undefined,
    pace: Pace,
  ): Promise<boolean> {
    const [x, y] = [numbers(a), numbers(b)]
    await this.sums.add(x, y, pace)
    const columns = a.dims.at(-1) ?? 1
    if (a.dims.length < 1 || a.dims.length > 3 || columns < 2) return false
    const [p, q] = [argmaxRows(x, columns), argmaxRows(y, columns)]
    this.rows += p.length
    p.forEach((best, i) => {
      if (best === q[i]) ++this.agreeing
    })
    if (label === undefined) return true
    const labels = typeof label === 'number' ? [label] : label
    if (labels.length !== p.length) {
      throw rangeError(
        `'labels' has ${labels.length} classes for a sample with ${p.length} rows in '${this.name}'.`,
      )
    }
    labels.forEach((wanted, i) => {
      ++this.labelled
      if (p[i] === wanted) ++this.correct.float
      if (q[i] === wanted) ++this.correct.int8
    })
    return true
  }

  result(): OutputComparison {
    const base: OutputComparison = { name: this.name, ...this.sums.result() }
    if (this.rows === 0) return base
    const agreement = { ...base, top1Agreement: this.agreeing / this.rows }
    if (this.labelled === 0) return agreement
    const { float, int8 } = this.correct
    return { ...agreement, accuracy: { float: float / this.labelled, int8: int8 / this.labelled } }
  }
}

class ComparisonRun {
  private readonly tallies: readonly OutputTally[]
  private readonly layerSums: readonly MetricSums[]

  constructor(
    private readonly float: Engine,
    private readonly int8: Engine,
    outputs: readonly string[],
    private readonly layers: readonly LayerPair[],
    private readonly options: CompareOptions,
    private readonly pace: Pace,
  ) {
    this.tallies = outputs.map((name) => new OutputTally(name))
    this.layerSums = layers.map(() => new MetricSums())
  }

  async over(inputs: Parameters<typeof checkFeeds>[2]): Promise<Comparison> {
    const { data, labels, onProgress, signal } = this.options
    const total = Array.isArray(data) ? data.length : undefined
    let samples = 0
    let skipped = 0
    for await (const feeds of samplesOf(data, signal)) {
      const index = samples + skipped
      if (labels && index >= labels.length) {
        throw rangeError(`'labels' has ${labels.length} entries; the data has more samples.`)
      }
      const checked = await checkFeeds(feeds, index, inputs, this.pace)
      if (isEmptyBatch(checked, inputs)) ++skipped
      else {
        await this.sample(checked, labels?.[index])
        ++samples
      }
      onProgress?.(index + 1, total)
    }
    if (samples === 0) throw emptyDataError(skipped)
    const outputs = this.tallies.map((t) => t.result())
    if (!this.options.layers) return { samples, outputs }
    const layers = this.layers.map(({ name, opType }, i) => ({
      name,
      opType,
      ...(this.layerSums[i] as MetricSums).result(),
    }))
    return { samples, outputs, layers }
  }

  private async sample(
    feeds: Readonly<Record<string, EngineTensor>>,
    label: number | readonly number[] | undefined,
  ): Promise<void> {
    const names = this.tallies.map((t) => t.name)
    const a = await this.float.run(feeds, [...new Set([...names, ...this.layers.map((l) => l.float)])])
    const b = await this.int8.run(feeds, [...new Set([...names, ...this.layers.map((l) => l.quantized)])])
    let pending = label
    for (const tally of this.tallies) {
      const [x, y] = pair(a[tally.name], b[tally.name], tally.name)
      if (await tally.add(x, y, pending, this.pace)) pending = undefined
    }
    for (const [i, layer] of this.layers.entries()) {
      const [x, y] = pair(a[layer.float], b[layer.quantized], layer.name)
      await (this.layerSums[i] as MetricSums).add(numbers(x), numbers(y), this.pace)
    }
  }
}

function pair(
  a: EngineTensor | undefined,
  b: EngineTensor | undefined,
  name: string,
): readonly [EngineTensor, EngineTensor] {
  if (a && b && a.dims.length === b.dims.length && a.dims.every((d, i) => d === b.dims[i])) return [a, b]
  const shape = (t: EngineTensor | undefined) => `[${t?.dims.join(', ') ?? ''}]`
  throw new OctavoError(
    'ERR_SHAPE_MISMATCH',
    `'${name}' has shape ${shape(a)} in the float model and ${shape(b)} in the other.`,
    { tensor: name },
  )
}

function numbers(tensor: EngineTensor): ArrayLike<number> {
  if (tensor.dtype !== 'float32') return numbersOf(tensor)
  return new Float32Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength / 4)
}
