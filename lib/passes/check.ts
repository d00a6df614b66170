/** Verifies what each graph pass makes; loaded under OCTAVO_VERIFY=1 alone. */
import { OctavoError } from '../errors.js'
import type { Graph } from '../graph/graph.js'
import { formatType, printGraph } from '../graph/print.js'
import { verifyGraph } from '../graph/verify.js'
import { verifyPass } from '../graph/verify-pass.js'

/** Throws (ERR_INTERNAL) where a pass made a graph that is not valid, or one with other inputs or outputs. */
export function checkGraphPass(pass: string, before: Graph, after: Graph): void {
  const verify = (graph: Graph) => {
    verifyGraph(graph)
    for (const ends of ['inputs', 'outputs'] as const) verifyEnds(before, graph, ends)
  }
  verifyPass(pass, before, after, { verify, print: (graph) => printGraph(graph) })
}

/** Callers feed and fetch by name: a pass keeps names, their order, and the types of inputs. */
function verifyEnds(before: Graph, after: Graph, ends: 'inputs' | 'outputs'): void {
  const text = (graph: Graph) =>
    graph[ends]
      .map((name) => (ends === 'inputs' ? `${name}: ${formatType(graph.types.get(name))}` : name))
      .join(', ')
  if (text(before) === text(after)) return
  throw new OctavoError(
    'ERR_INTERNAL',
    `The ${ends} of the graph are others: expected (${text(before)}), got (${text(after)})`,
  )
}
