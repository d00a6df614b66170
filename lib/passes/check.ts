/** Verifies what each graph pass makes; loaded under OCTAVO_VERIFY=1 alone. */
import type { Graph } from '../graph/graph.js'
import { printGraph } from '../graph/print.js'
import { verifyGraph } from '../graph/verify.js'
import { verifyPass } from '../graph/verify-pass.js'

const verification = {
  verify: (graph: Graph) => verifyGraph(graph),
  print: (graph: Graph) => printGraph(graph),
}

/** Throws (ERR_INTERNAL) where a pass made a graph that is not valid. */
export function checkGraphPass(pass: string, before: Graph, after: Graph): void {
  verifyPass(pass, before, after, verification)
}
