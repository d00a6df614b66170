/**
 * Types of values that a graph leaves open without feeds, as one set of feeds has them: their ranks for a branch that is taken,
 * their sizes. The quantizer decides by them; what it writes does not depend on them.
 */
import type { Graph, TensorType } from '../../graph/graph.js'
import type { ValueNeededError } from '../../ops/core/helpers.js'
import { type Inference, inferGraph } from '../../ops/core/infer.js'
import { inputsBehind } from '../lower/dependencies.js'
import { prepare } from '../model.js'
import { canFix, type Feeds, specialised } from './specialised-graph.js'

/** Why values of the graph and of those that its nodes own have no type. */
export function openValues({ open, nested }: Inference): readonly ValueNeededError[] {
  return [...open, ...[...nested.values()].flatMap(openValues)]
}

/** The inference of a graph, completed by what it is for these feeds. */
export async function learnTypes(
  graph: Graph,
  info: Inference,
  feeds: Feeds,
  signal?: AbortSignal,
): Promise<Inference> {
  const fixed = new Set<string>()
  for (let known = info; ; ) {
    const before = fixed.size
    for (const { tensor } of openValues(known)) {
      for (const name of tensor === undefined ? [] : inputsBehind(graph, tensor)) {
        if (canFix(feeds, name)) fixed.add(name)
      }
    }
    if (known !== info && fixed.size === before) return completed(info, known)
    const { graph: special, overrides } = specialised(graph, fixed, feeds)
    const options = { overrides, partial: true, signal } as const
    known = inferGraph(await prepare(special, { ...options, selection: 'required' }), options)
  }
}

/** Types that are known by both are those of `info`: they hold for all sizes. */
function completed(info: Inference, learned: Inference): Inference {
  const types = new Map<string, TensorType>(info.types)
  for (const [name, type] of learned.types) if (!types.get(name)?.shape) types.set(name, type)
  const nested = new Map(info.nested)
  for (const [key, inner] of learned.nested) {
    const known = nested.get(key)
    nested.set(key, known ? completed(known, inner) : inner)
  }
  return { ...info, types, nested }
}
