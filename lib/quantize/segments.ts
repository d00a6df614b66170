/**
 * Cuts a graph after chosen nodes into segments that run one after another. Between two of them live only the
 * values that later segments read: the frontier.
 */

import type { EngineTensor } from '../calibrate/engine.js'
import type { Sample } from '../calibrate/reservoir.js'
import { type Dim, dimKey, symbol } from '../graph/expr.js'
import { type ConstantTensor, type Graph, type Node, type TensorType, usesOf } from '../graph/graph.js'

export interface Segment {
  readonly nodes: readonly Node[]
  /** Values from earlier segments that it reads. */
  readonly inputs: readonly string[]
  /** Values it makes that later segments read. */
  readonly outputs: readonly string[]
  /** Values that are read after it, its own included: the frontier behind it. */
  readonly live: ReadonlySet<string>
}

/** One segment per cut, each ending with that node; nodes after the last cut belong to none. */
export function cutAfter(graph: Graph, cuts: ReadonlySet<Node>): Segment[] {
  const groups: Node[][] = [[]]
  for (const node of graph.nodes) {
    groups.at(-1)?.push(node)
    if (cuts.has(node)) groups.push([])
  }
  groups.pop()
  const lastUse = new Map<string, number>()
  groups.forEach((nodes, k) => {
    for (const node of nodes)
      for (const name of usesOf(node)) if (!graph.constants.has(name)) lastUse.set(name, k)
  })
  const live = new Set<string>(graph.inputs.filter((name) => lastUse.has(name)))
  return groups.map((nodes, k) => {
    const made = nodes.flatMap((n) => n.outputs).filter((name) => name !== '')
    const own = new Set(made)
    const used = new Set(nodes.flatMap(usesOf))
    const inputs = [...used].filter((name) => !own.has(name) && !graph.constants.has(name))
    const outputs = made.filter((name) => (lastUse.get(name) ?? -1) > k)
    for (const name of [...live]) if ((lastUse.get(name) ?? -1) <= k) live.delete(name)
    for (const name of outputs) live.add(name)
    return { nodes, inputs, outputs, live: new Set(live) }
  })
}

/**
 * The graph of a segment for these samples. Sizes that all samples share are numbers, others symbols (equal
 * expressions stay equal); integer inputs that are the same in all samples, such as shapes, are constants.
 */
export function segmentGraph(
  graph: Graph,
  segment: Segment,
  extraOutputs: readonly string[],
  samples: readonly Sample[],
  typeOf: (value: string) => TensorType | undefined,
): Graph {
  const used = new Set(segment.nodes.flatMap(usesOf))
  const constants = new Map<string, ConstantTensor>()
  for (const name of used) {
    const constant = graph.constants.get(name)
    if (constant) constants.set(name, constant)
  }
  const inputs: string[] = []
  const types = new Map<string, TensorType>()
  for (const name of segment.inputs) {
    const tensors = samples.map((sample) => sample[name] as EngineTensor)
    const [first] = tensors as [EngineTensor]
    if (
      first.dtype !== 'float32' &&
      first.data.byteLength <= 512 &&
      tensors.every((t) => sameTensor(t, first))
    ) {
      constants.set(name, first)
      continue
    }
    inputs.push(name)
    types.set(name, { dtype: first.dtype, shape: sharedShape(tensors, typeOf(name)?.shape, name) })
  }
  const outputs = [...new Set([...segment.outputs, ...extraOutputs])]
  return { name: graph.name, inputs, outputs, nodes: segment.nodes, constants, types, captures: [] }
}

function sharedShape(
  tensors: readonly EngineTensor[],
  known: readonly Dim[] | undefined,
  name: string,
): Dim[] {
  const [first] = tensors as [EngineTensor]
  return first.dims.map((d, axis) => {
    if (tensors.every((t) => t.dims[axis] === d)) return d
    const size = known?.[axis]
    return symbol(size === undefined ? `${name}_${axis}` : `size_${dimKey(size).replace(/\W+/g, '_')}`)
  })
}

function sameTensor(a: EngineTensor, b: EngineTensor): boolean {
  return (
    a.dims.length === b.dims.length &&
    a.dims.every((d, i) => d === b.dims[i]) &&
    Buffer.compare(a.data, b.data) === 0
  )
}
