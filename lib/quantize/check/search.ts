/**
 * The search for nodes that make the outputs good when they stay in float, the fewest that do. Steps between products come
 * first, kind by kind, for repeated blocks suffer alike and no product is lost by them; then products, one by one within a budget.
 */
import type { Node } from '../../graph/graph.js'
import type { Pins } from '../assign/pins.js'
import type { Quantization } from '../quantization.js'
import { multiplications } from './budget.js'
import type { Measurement } from './measurement.js'
import { worst } from './quality.js'
import { type Suspect, suspects } from './suspects.js'
import { type Trials, withPins } from './trial.js'

/** The search ends when all outputs are this good. */
const GOOD_DB = 20
/** What nodes in float must gain to stay there, in dB; what they may lose when they go back. */
const LEAST_GAIN_DB = 1
const MOST_LOSS_DB = 0.5
/** Products that are tried one by one before the best of them is taken. */
const TRIED_AT_ONCE = 6
const MOST_ROUNDS = 6
/** The share of the multiplications that may go to float; one product may go in any case. */
const MOST_FLOAT = 0.25

interface Found {
  readonly pins: Pins
  /** SQNR of the worst output in dB. */
  readonly score: number
}

export class RepairSearch {
  private readonly costs: ReadonlyMap<Node, number>
  private readonly budget: number

  constructor(
    private readonly quantization: Quantization,
    private readonly trials: Trials,
  ) {
    this.costs = multiplications(quantization)
    this.budget = MOST_FLOAT * [...this.costs.values()].reduce((a, b) => a + b, 0)
  }

  /** `measured`: the errors of the quantization as it is. */
  async run(measured: Measurement): Promise<Pins> {
    const none = await this.try(new Map())
    const free = await this.withoutSteps(none, this.ranked(this.quantization, measured))
    const { pins } = await this.withoutProducts(free, measured)
    return pins
  }

  private async try(pins: Pins): Promise<Found> {
    return { pins, score: worst(await this.trials.quick(pins)) }
  }

  private ranked(quantization: Quantization, measured: Measurement): readonly Suspect[] {
    return suspects(quantization, measured).filter(({ node }) => !quantization.settingsOf(node).forced)
  }

  /** Steps between products in float: the kinds of them that are needed. */
  private async withoutSteps(before: Found, ranked: readonly Suspect[]): Promise<Found> {
    const steps = ranked.filter(({ fusion }) => fusion.rule.kind !== 'weighted')
    if (steps.length === 0 || before.score >= GOOD_DB) return before
    let found = await this.try(withPins(before.pins, steps))
    if (found.score < before.score + LEAST_GAIN_DB) return before
    const enough = Math.min(found.score, GOOD_DB) - MOST_LOSS_DB
    // Those that add least go back first.
    for (const kind of new Set([...steps].reverse().map(({ node }) => node.opType))) {
      const back = new Set(steps.filter(({ node }) => node.opType === kind).map(({ node }) => node.name))
      const without = await this.try(new Map([...found.pins].filter(([name]) => !back.has(name))))
      if (without.score >= enough) found = without
    }
    return this.fewest(found, 2 * TRIED_AT_ONCE)
  }

  /** Products in float, the best of the first suspects in each round, or where none helps alone all of them. */
  private async withoutProducts(before: Found, measured: Measurement): Promise<Found> {
    let found = before
    const again = before.pins.size > 0 ? await this.trials.measured(before.pins) : undefined
    const rest = [...this.ranked(again?.quantization ?? this.quantization, again?.measured ?? measured)]
    for (let round = 0; round < MOST_ROUNDS && found.score < GOOD_DB; ++round) {
      const tried = rest.filter((s) => this.fits(found.pins, [s])).slice(0, TRIED_AT_ONCE)
      let best: Found | undefined
      for (const suspect of tried) {
        const one = await this.try(withPins(found.pins, [suspect]))
        if (one.score >= found.score + LEAST_GAIN_DB && one.score > (best?.score ?? -Infinity)) best = one
      }
      if (!best && tried.length > 1 && this.fits(found.pins, tried)) {
        const all = await this.try(withPins(found.pins, tried))
        if (all.score >= found.score + LEAST_GAIN_DB) best = all
      }
      if (!best) break
      const taken = best.pins
      found = best
      rest.splice(0, rest.length, ...rest.filter(({ node }) => !taken.has(node.name)))
    }
    return this.fewest(found, 2 * TRIED_AT_ONCE)
  }

  private fits(pins: Pins, more: readonly Suspect[]): boolean {
    const pinned = this.quantization.graph.nodes.filter((n) => pins.has(n.name))
    const costs = [...pinned, ...more.map(({ node }) => node)].map((n) => this.costs.get(n) ?? 0)
    const products = costs.filter((c) => c > 0)
    return products.length <= 1 || products.reduce((a, b) => a + b, 0) <= this.budget
  }

  /** Without those that are not needed once the others are in float; `trials`: how many are tried. */
  private async fewest(found: Found, trials: number): Promise<Found> {
    let kept = found
    const enough = Math.min(found.score, GOOD_DB) - MOST_LOSS_DB
    for (const name of found.pins.size < 2 ? [] : [...found.pins.keys()].reverse().slice(0, trials)) {
      const without = await this.try(new Map([...kept.pins].filter(([other]) => other !== name)))
      if (without.score >= enough) kept = without
    }
    return kept
  }
}
