/** explain(): which nodes of a model run in integers, which in float, and why. Counted from the steps that are executed. */

import { explainPlan, type NodeExplanation } from '../compile/explain-steps.js'
import { prepare } from '../compile/model.js'
import { type CompileOptions, compileGraph } from '../compile/run/engine.js'
import { binding } from '../native/load.js'
import { type ReadOptions, readModel } from '../onnx/index.js'
import type { StepKind } from '../plan/plan.js'

/** Options of `explain`. */
export interface ExplainOptions extends Pick<CompileOptions, 'overrides' | 'threads' | 'signal'> {
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
  /** How many steps there are of each kind. */
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
  const { externalData, signal } = options
  const { graph } = await readModel(model, { externalData, signal })
  const prepared = await prepare(graph, options)
  const opTypes = new Map([...graph.nodes, ...prepared.nodes].map((n) => [n.name, n.opType]))
  const engine = await compileGraph(prepared, options)
  try {
    const nodes = explainPlan(engine.plan, engine.kernels()).map((n) => ({
      ...n,
      opType: opTypes.get(n.node) ?? '',
    }))
    const steps = tally()
    for (const { kind } of engine.steps) ++steps[kind]
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

function tally(): Record<StepKind, number> {
  return { integer: 0, float: 0, data: 0, shape: 0, convert: 0 }
}
