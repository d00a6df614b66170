/**
 * Bodies of If and Loop are quantized with the graph around them: all stages look at one flat graph, in which names are unique.
 * Calibration runs the nested one of the same names, and writing gives every node back to its body.
 */
import type { Dim } from '../../graph/expr.js'
import { type FlatGraph, flatten, type Scope } from '../../graph/flatten.js'
import type { TensorType } from '../../graph/graph.js'
import { unflatten } from '../../graph/unflatten.js'
import { type Inference, nestedKey } from '../../ops/core/infer.js'
import type { Method } from '../quantization.js'

export const flattenBodies: Method = (quantization) => {
  const { graph, inference } = quantization
  const flat = flatten(graph)
  if (!flat) return { ...quantization, nested: graph }
  return {
    ...quantization,
    flat,
    graph: flat.graph,
    nested: unflatten(flat, graph),
    inference: flatInference(flat, inference),
  }
}

/** What is known of the values of all bodies, by their names in the flat graph. */
function flatInference({ graph, scopes }: FlatGraph, info: Inference): Inference {
  const types = new Map<string, TensorType>(info.types)
  for (const [name, { dtype, dims }] of graph.constants) types.set(name, { dtype, shape: dims })
  const inside = new Map<Scope | undefined, Inference | undefined>([[undefined, info]])
  const sizes = new Map<string, () => readonly Dim[] | undefined>()
  for (const scope of scopes) {
    const own = inside.get(scope.parent)?.nested.get(nestedKey(scope.node, scope.attribute))
    inside.set(scope, own)
    if (!own) continue
    for (const [inner, name] of scope.names) {
      const type = own.types.get(inner)
      if (type && !types.get(name)?.shape) types.set(name, type)
      if (!info.types.has(name)) sizes.set(name, () => own.values.get(inner))
    }
  }
  const get = (name: string) => info.values.get(name) ?? sizes.get(name)?.()
  return { ...info, types, values: { get, has: (name) => get(name) !== undefined } }
}
