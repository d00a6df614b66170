/** Runs a graph without inputs on the engine: constant folding computes with the arithmetic of inference. */
import type { ConstantTensor, Graph } from '../../graph/graph.js'
import { compileGraph } from './engine.js'

export async function evaluateConstants(graph: Graph): Promise<ReadonlyMap<string, ConstantTensor>> {
  const engine = await compileGraph(graph)
  try {
    const results = await engine.run({})
    return new Map(
      Object.entries(results).map(([name, { dtype, dims, data }]) => [
        name,
        { dtype, dims, data: new Uint8Array(data) },
      ]),
    )
  } finally {
    engine.release()
  }
}
