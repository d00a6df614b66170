/** What is still poor, a sentence each: the output, the figure, the node that does most of it, and the option that helps. */
import type { Graph } from '../../graph/graph.js'
import { producersOf, usesOf } from '../../graph/graph.js'
import type { Pins } from '../assign/pins.js'
import type { Quantization } from '../quantization.js'
import type { Measurement } from './measurement.js'
import type { OutputQuality } from './output-tally.js'
import { decibels, disagrees, isPoor } from './quality.js'
import { type Suspect, suspects } from './suspects.js'
import { type Trials, withPins } from './trial.js'

/** Nodes that are tried in float, the worst first, to find those that help an output. */
const MOST_TRIED = 16
/** A node that gains so much in dB is good enough to be named; else all are tried. */
const CLEAR_GAIN_DB = 3
/** Of the nodes that seem to help so many are quantized anew with all that follows, to be sure. */
const MOST_CONFIRMED = 4

type Checked = Quantization & { readonly measured: Measurement }

export async function warningsOf(checked: Checked, trials: Trials): Promise<string[]> {
  const { measured } = checked
  const warnings: string[] = []
  for (const output of measured.outputs) {
    const poor = isPoor(output)
    if (!poor && !disagrees(output)) continue
    const found = `output '${output.name}' ${describe(output)} on ${measured.samples} samples`
    warnings.push(poor ? `${found}; ${advice(await culpritOf(output, checked, trials))}` : found)
  }
  return warnings
}

function describe({ sqnr, rows, agreeing, lost }: OutputQuality): string {
  const parts = [`has an SQNR of ${sqnr.toFixed(1)} dB`]
  if (rows > 0) parts.push(`the largest element of ${agreeing} of ${rows} rows stayed where it was`)
  if (lost > 0) parts.push(`${(100 * lost).toFixed(0)} % of its channels became one number`)
  return parts.join(', ')
}

interface Culprit {
  readonly suspect: Suspect
  /** SQNR of the output with it in float, in dB. */
  readonly without: number
}

function advice(culprit: Culprit | undefined): string {
  if (!culprit) {
    return 'no single node is to blame: more samples (--samples), another observer (--observer) or --exclude for several nodes may help'
  }
  const { node } = culprit.suspect
  const reached = Number.isFinite(culprit.without) ? `${culprit.without.toFixed(1)} dB` : 'as in float'
  return `'${node.name}' (${node.opType}) takes most of it: ${reached} with --exclude '^${escaped(node.name)}$'`
}

/** A name as a regular expression. */
function escaped(name: string): string {
  return name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

/** The node before an output that it gains most by, of those that are likely to blame. */
async function culpritOf(
  output: OutputQuality,
  checked: Checked,
  trials: Trials,
): Promise<Culprit | undefined> {
  const { graph, pins, measured } = checked
  const of = (outputs: readonly OutputQuality[]) =>
    decibels(outputs.find(({ name }) => name === output.name) ?? output)
  const before = nodesBefore(graph, output.name)
  const ranked = suspects(checked, measured).filter(({ node }) => before.has(node.name))
  const now = of(await trials.quick(pins))
  const helpful: Culprit[] = []
  for (const suspect of ranked.slice(0, MOST_TRIED)) {
    const without = of(await trials.quick(withPins(pins, [suspect])))
    if (without > now) helpful.push({ suspect, without })
    if (without > now + CLEAR_GAIN_DB) break
  }
  helpful.sort((a, b) => b.without - a.without)
  return confirmed(
    helpful.slice(0, MOST_CONFIRMED),
    async (p) => of(await trials.whole(p)),
    pins,
    decibels(output),
  )
}

/** The first of these that helps when all is done as it would be. */
async function confirmed(
  helpful: readonly Culprit[],
  reachedWith: (pins: Pins) => Promise<number>,
  pins: Pins,
  now: number,
): Promise<Culprit | undefined> {
  for (const { suspect } of helpful) {
    const without = await reachedWith(withPins(pins, [suspect]))
    if (without > now) return { suspect, without }
  }
  return undefined
}

function nodesBefore(graph: Graph, output: string): ReadonlySet<string> {
  const producers = producersOf(graph)
  const found = new Set<string>()
  const pending = [output]
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    const node = producers.get(value)
    if (!node || found.has(node.name)) continue
    found.add(node.name)
    pending.push(...usesOf(node))
  }
  return found
}
