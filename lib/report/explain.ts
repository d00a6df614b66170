/** explain(): which nodes of a model run in integers, which in float, and why. Counted from the steps that are executed. */

import type { Feeds } from '../calibrate/data.js'
import { checkFeeds } from '../calibrate/feeds.js'
import { explainPlan, type NodeExplanation, stepsOf } from '../compile/explain-steps.js'
import { createRunner } from '../compile/run/create.js'
import type { CompileOptions } from '../compile/run/engine.js'
import type { Runner } from '../compile/run/runner.js'
import { OctavoError } from '../errors.js'
import { Pace } from '../event-loop.js'
import type { Graph } from '../graph/graph.js'
import { ownedGraphs } from '../graph/subgraph.js'
import { binding } from '../native/load.js'
import { type ReadOptions, readModel } from '../onnx/index.js'
import type { StepKind } from '../plan/plan.js'

/** Options of `explain`. */
export interface ExplainOptions extends Pick<CompileOptions, 'overrides' | 'threads' | 'signal'> {
  /**
   * What the model will be fed: one sample. Needed where sizes or elements of inputs decide how the model is compiled and
   * `overrides` does not give them; the model is then run once.
   */
  readonly feeds?: Feeds
  /** Files of external data, where `model` is bytes or they are not in its folder. */
  readonly externalData?: ReadOptions['externalData']
}

/** How one node of a model is computed. */
export interface ExplainedNode extends NodeExplanation {
  /** Operator of the node in the file; '' for one that Octavo added. */
  readonly opType: string
}

/** What `explain` found, for this machine. */
export interface Explanation {
  /** Instruction set that the kernels are for, as `x86_avx2`. */
  readonly isa: string
  /** How many steps there are of each kind, those of branches and loops included. */
  readonly steps: Readonly<Record<StepKind, number>>
  /** For each operator type, how many nodes are computed by steps of each kind. */
  readonly operators: Readonly<Record<string, Readonly<Record<StepKind, number>>>>
  /** Every node with the step that computes it, in the order of execution; a node of several steps occurs several times. */
  readonly nodes: readonly ExplainedNode[]
}

export async function explain(
  model: string | Uint8Array,
  options: ExplainOptions = {},
): Promise<Explanation> {
  const { externalData, feeds, ...compiling } = options
  const { graph } = await readModel(model, { externalData, signal: options.signal })
  const opTypes = new Map<string, string>()
  addOpTypes(graph, opTypes)
  const onPrepared = async (prepared: Graph) => addOpTypes(prepared, opTypes)
  const engine = await createRunner(graph, { ...compiling, onPrepared })
  try {
    if (!engine.hasPlan) await runOnce(engine, graph, feeds, options.signal)
    const nodes = explainPlan(engine.plan, engine.kernels()).map((n) => ({
      ...n,
      opType: opTypes.get(n.node) ?? '',
    }))
    const steps = tally()
    for (const { kind } of stepsOf(engine.plan)) ++steps[kind]
    const operators: Record<string, Record<StepKind, number>> = {}
    for (const { opType, kind } of nodes) {
      operators[opType] ??= tally()
      ++(operators[opType] as Record<StepKind, number>)[kind]
    }
    return { isa: binding().isa, steps, operators, nodes }
  } finally {
    engine.release()
  }
}

/** A runner that is compiled for what it is fed has a plan after that. */
async function runOnce(
  runner: Runner,
  graph: Graph,
  feeds: Feeds | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (feeds === undefined) {
    const inputs = graph.inputs.map((name) => `'${name}'`).join(', ')
    throw new OctavoError(
      'ERR_UNSUPPORTED_OP',
      `This model is compiled for what it is fed: expected 'feeds' (octavo explain --data), one sample for ${inputs}, or 'overrides' with numbers for its sizes.`,
    )
  }
  const inputs = graph.inputs.map((name) => ({
    name,
    type: graph.types.get(name) ?? ({ dtype: 'float32' } as const),
  }))
  await runner.run(await checkFeeds(feeds, 0, inputs, new Pace(signal)), [], { signal })
}

/** Nodes of owned graphs included. */
function addOpTypes(graph: Graph, opTypes: Map<string, string>): void {
  for (const node of graph.nodes) {
    opTypes.set(node.name, node.opType)
    for (const [, owned] of ownedGraphs(node)) addOpTypes(owned, opTypes)
  }
}

function tally(): Record<StepKind, number> {
  return { integer: 0, float: 0, data: 0, shape: 0, convert: 0 }
}
