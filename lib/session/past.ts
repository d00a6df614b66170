/** The past of a language model as states of the session: what a run is fed besides tokens, and how long the past is. */
import type { EngineTensor } from '../compile/run/engine.js'
import { OctavoError, rangeError } from '../errors.js'
import { formatDim } from '../graph/expr.js'
import type { Graph } from '../graph/graph.js'
import { lastLogits } from '../passes/last-logits.js'
import { pastToStates } from '../passes/past-to-states.js'
import type { Feeds, TensorLike } from './arguments.js'
import { languageModel, madeInput, type NamedInput, noLanguageModel } from './language-model.js'
import type { SessionOptions } from './options.js'

const DEFAULT_LIMIT = 2048

interface PastForm {
  readonly ids: NamedInput
  readonly made: readonly NamedInput[]
  readonly limit: number
  /** Of one position, over all layers. */
  readonly positionBytes: number
}

/** The graph with its past in states, and the past of a session over it. */
export function graphWithPast(
  graph: Graph,
  { pastLimit: limit = DEFAULT_LIMIT, pastType = 'float32', logits }: SessionOptions,
): { graph: Graph; past: Past } {
  const inputs = graph.inputs.map((name) => ({ name, type: graph.types.get(name)?.dtype ?? '' }))
  const model = languageModel(inputs, graph.outputs)
  const { ids, made, past } = model
  if (past.length === 0) {
    throw noLanguageModel(
      'a past as inputs and outputs (past_key_values.N.key, present.N.key), for the option past',
      'none',
    )
  }
  const pairs = past.map(({ input, present }) => ({ past: input.name, present }))
  const whole = logits === 'last' ? lastLogits(graph, model.logits) : graph
  const changed = pastToStates(whole, pairs, ids.name, { limit, type: pastType })
  let positionBytes = 0
  for (const [name, { type }] of changed.states ?? []) {
    if (graph.states?.has(name)) continue
    positionBytes += ((type.dtype === 'int8' ? 1 : 4) * type.shape.reduce((n, d) => n * d, 1)) / limit
  }
  return { graph: changed, past: new Past({ ids, made, limit, positionBytes }) }
}

export class Past {
  #underWay = false

  constructor(
    private readonly form: PastForm,
    /** Positions that are filled. */
    private filled = 0,
  ) {}

  get length(): number {
    return this.filled
  }

  get bytes(): number {
    return this.filled * this.form.positionBytes
  }

  /** The same past, from here on on its own. */
  copy(): Past {
    this.expectIdle()
    return new Past(this.form, this.filled)
  }

  shorten(length: number): void {
    this.expectIdle()
    if (!Number.isInteger(length) || length < 0 || length > this.filled)
      throw rangeError(`'length' should be an integer in [0, ${this.filled}], got ${length}.`)
    this.filled = length
  }

  /** Feeds with masks and positions where they are missing. */
  complete(feeds: Feeds): Feeds {
    const ids = feeds[this.form.ids.name]
    if (typeof feeds !== 'object' || feeds === null || !ids) return feeds
    const missing = this.form.made.filter(({ name }) => feeds[name] === undefined)
    const count = this.tokensOf(ids)
    const added = missing.map((input) => [input.name, madeInput(input, count, this.filled)] as const)
    return { ...feeds, ...Object.fromEntries(added) }
  }

  /** A run with these feeds, after which the past is longer. Runs do not meet: each one needs to know where it starts. */
  async append<T>(feeds: Feeds, run: (length: EngineTensor) => Promise<T>): Promise<T> {
    const grown = this.start(feeds)
    this.#underWay = true
    try {
      const results = await run(this.lengthTensor())
      this.filled = grown
      return results
    } finally {
      this.#underWay = false
    }
  }

  appendSync<T>(feeds: Feeds, run: (length: EngineTensor) => T): T {
    const grown = this.start(feeds)
    const results = run(this.lengthTensor())
    this.filled = grown
    return results
  }

  /** How long the past is after the run. */
  private start(feeds: Feeds): number {
    this.expectIdle()
    const count = this.tokensOf(feeds[this.form.ids.name] as TensorLike)
    const { limit } = this.form
    if (this.filled + count > limit) {
      throw new OctavoError(
        'ERR_LIMIT',
        `the past has ${this.filled} of at most ${limit} positions (option pastLimit): expected at most ${limit - this.filled} tokens, got ${count}.`,
        { tensor: this.form.ids.name },
      )
    }
    return this.filled + count
  }

  private expectIdle(): void {
    if (this.#underWay)
      throw new OctavoError(
        'ERR_RUN',
        'a run of this session is under way, and its past is not known before that ends.',
      )
  }

  private tokensOf({ dims }: TensorLike): number {
    const [batch = 0, count = 0] = dims
    if (dims.length === 2 && batch === 1) return count
    throw new OctavoError(
      'ERR_SHAPE_MISMATCH',
      `input '${this.form.ids.name}': expected [1, tokens] where the past stays in the session, got [${dims.map(formatDim).join(', ')}].`,
      { tensor: this.form.ids.name },
    )
  }

  private lengthTensor(): EngineTensor {
    return { dtype: 'int64', dims: [1], data: new Uint8Array(BigInt64Array.of(BigInt(this.filled)).buffer) }
  }
}
