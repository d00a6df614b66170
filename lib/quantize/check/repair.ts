/**
 * Looks at the result before it is handed over. Where an output is ruined, the nodes that do it go to float: the fewest that
 * help, found by trying. What is still poor is a warning with the node, the figure, and the option that would help.
 */
import type { Node } from '../../graph/graph.js'
import type { Pins } from '../assign/pins.js'
import type { Method, Quantization } from '../quantization.js'
import type { QdqGraph } from '../write/qdq-graph.js'
import { multiplications } from './budget.js'
import { helpfulCorrections } from './corrections.js'
import { Judge } from './judge.js'
import { measure } from './measure.js'
import type { Measurement } from './measurement.js'
import { isPoor, worst } from './quality.js'
import { type Suspect, suspects } from './suspects.js'
import { Trials, withPins } from './trial.js'
import { warningsOf } from './warnings.js'

/** An output this good needs no repair, and repair ends when all are. */
const GOOD_DB = 20
/** What a node in float must gain to stay there, in dB. */
const LEAST_GAIN_DB = 1
/** Suspects that are tried one by one before the best of them is taken. */
const TRIED_AT_ONCE = 6
const MOST_ROUNDS = 6
/** The share of the multiplications that repair may take to float; one product may go in any case. */
const MOST_FLOAT = 0.25

/** `rebuild`: from the assignment to the written graph; `finish`: what follows it. */
export function checkAndRepair(rebuild: Method, finish: Method): Method {
  return async (quantization) => {
    const { recipe, quantized, samples } = quantization
    if (recipe.check === 'off' || !quantized || samples.length === 0) return quantization
    const judge = new Judge(quantization)
    const trials = new Trials(quantization, judge, rebuild, finish)
    let checked = await judged(quantization, quantized, judge)
    const { measured } = checked
    if (recipe.check === 'repair' && measured.outputs.some(isPoor)) {
      const pins = await new Search(checked, measured, trials).run()
      if (pins.size > 0) {
        const repaired = await finish(await rebuild({ ...quantization, pins }))
        const after = repaired.quantized && (await judged(repaired, repaired.quantized, judge))
        if (after && worst(after.measured.outputs) > worst(measured.outputs)) checked = after
      }
    }
    const warnings = await warningsOf(checked, trials)
    return { ...checked, warnings: [...checked.warnings, ...warnings] }
  }
}

/** The quantization with those of its corrections that help, and its errors. */
async function judged(quantization: Quantization, quantized: QdqGraph, judge: Judge) {
  const measured = await measure(quantization, quantized, judge)
  const better = await helpfulCorrections(quantization, judge, measured.outputs)
  if (better === quantization || !better.quantized) return { ...quantization, measured }
  return { ...better, measured: await measure(better, better.quantized, judge) }
}

/** The search for the fewest nodes in float that make the outputs good. */
class Search {
  private readonly budget: number
  private readonly costs: ReadonlyMap<Node, number>
  private readonly candidates: readonly Suspect[]

  constructor(
    private readonly quantization: Quantization,
    first: Measurement,
    private readonly trials: Trials,
  ) {
    this.costs = multiplications(quantization)
    this.budget = MOST_FLOAT * [...this.costs.values()].reduce((a, b) => a + b, 0)
    this.candidates = suspects(quantization, first).filter(
      ({ node }) => !quantization.settingsOf(node).forced,
    )
  }

  async run(): Promise<Pins> {
    let pins: Pins = new Map()
    let score = worst(await this.trials.quick(pins))
    const rest = [...this.candidates]
    for (let round = 0; round < MOST_ROUNDS && score < GOOD_DB; ++round) {
      const next = await this.best(pins, rest, score)
      if (!next) break
      ;({ pins, score } = next)
      for (const taken of next.taken) rest.splice(rest.indexOf(taken), 1)
    }
    return this.fewest(pins, score)
  }

  /** The best of the first suspects, or where none helps alone all of them. */
  private async best(pins: Pins, rest: readonly Suspect[], score: number) {
    const tried = rest.filter((s) => this.fits(pins, [s])).slice(0, TRIED_AT_ONCE)
    const groups = [...tried.map((s) => [s]), ...(tried.length > 1 && this.fits(pins, tried) ? [tried] : [])]
    let found: { pins: Pins; score: number; taken: readonly Suspect[] } | undefined
    for (const taken of groups) {
      if (taken.length > 1 && found) break
      const with_ = withPins(pins, taken)
      const reached = worst(await this.trials.quick(with_))
      if (reached < score + LEAST_GAIN_DB || (found && reached <= found.score)) continue
      found = { pins: with_, score: reached, taken }
    }
    return found
  }

  private fits(pins: Pins, more: readonly Suspect[]): boolean {
    const pinned = this.quantization.graph.nodes.filter((n) => pins.has(n.name))
    const cost = [...pinned, ...more.map(({ node }) => node)].map((n) => this.costs.get(n) ?? 0)
    const products = cost.filter((c) => c > 0)
    return products.length <= 1 || products.reduce((a, b) => a + b, 0) <= this.budget
  }

  /** Without those that are not needed once the others are in float. */
  private async fewest(pins: Pins, score: number): Promise<Pins> {
    let kept = pins
    if (pins.size < 2) return kept
    for (const name of pins.keys()) {
      const without = new Map([...kept].filter(([other]) => other !== name))
      const reached = worst(await this.trials.quick(without))
      if (reached >= Math.min(score, GOOD_DB) - LEAST_GAIN_DB / 2) kept = without
    }
    return kept
  }
}
