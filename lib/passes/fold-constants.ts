/**
 * Computes what does not depend on the inputs:
 *
 *     c = Transpose(w), y = MatMul(x, c)  =>  y = MatMul(x, c), c: constant
 *
 * Sizes known to inference become constants at once, everything else is one graph without inputs that the engine runs.
 * DequantizeLinear of constants stays: it is how a quantized model states its weights. So does what reads weights that
 * will change: two products may share them.
 */
import { byteLength, isFloat } from '../graph/dtype.js'
import type { ConstantTensor, Graph, Node } from '../graph/graph.js'
import { resultsOf, usesOf } from '../graph/graph.js'
import { elementCount } from '../graph/tensor.js'
import { ValueNeededError } from '../ops/core/helpers.js'
import { type Inference, type InferOptions, inferGraph } from '../ops/core/infer.js'
import { constantFromValues } from '../ops/core/sizes.js'
import { evaluateNeeded } from './evaluate-needed.js'
import type { PassContext } from './pass.js'

/** A folded tensor may not be larger than this, nor larger than 4 times what it is made from: files stay small. */
const MAX_BYTES = 2 ** 28

const NEVER = new Set(['DequantizeLinear', 'If', 'Loop', 'Scan', 'Observe'])

export async function foldConstants(given: Graph, context: PassContext): Promise<Graph> {
  const { evaluate, selection } = context
  const { graph, info } = await inferred(given, context)
  const constants = new Map(graph.constants)
  const changes = selection === 'training' ? weightsOf(graph) : undefined
  const folded = new Set<string>()
  const selected: Node[] = []
  let sizes = 0
  for (const node of graph.nodes) {
    const known = knownOutputs(node, info)
    if (known) {
      known.forEach((tensor, name) => void constants.set(name, tensor))
      sizes += known.size
    } else if (
      isFoldable(node, info, constants, folded) &&
      !usesOf(node).some((name) => changes?.has(name))
    ) {
      selected.push(node)
      for (const name of node.outputs) if (name !== '') folded.add(name)
    }
  }
  if (selected.length === 0 && sizes === 0) return graph
  const dropped = new Set(selected)
  const nodes = graph.nodes.filter(
    (n) => !dropped.has(n) && !n.outputs.every((o) => o === '' || constants.has(o)),
  )
  const results =
    selected.length > 0 ? await evaluate(islandOf(graph, constants, selected, nodes, folded)) : new Map()
  for (const [name, tensor] of results) constants.set(name, tensor)
  return { ...graph, nodes, constants }
}

/** Names of constants that training may change: floats, more than one. */
function weightsOf(graph: Graph): Set<string> {
  const weights = [...graph.constants].filter(
    ([, { dtype, dims }]) => isFloat(dtype) && elementCount(dims) > 1,
  )
  return new Set(weights.map(([name]) => name))
}

/** Inference, which may need values first that depend on constants alone (a Range whose limit is computed in float). */
async function inferred(
  graph: Graph,
  { evaluate, overrides, partial }: PassContext,
): Promise<{ readonly graph: Graph; readonly info: Inference }> {
  for (let current = graph; ; ) {
    const { info, needed } = tryInference(current, { overrides, partial })
    let next: Graph | undefined
    for (const { tensor } of needed) {
      if (tensor !== undefined) next ??= await evaluateNeeded(current, tensor, evaluate)
    }
    if (next) current = next
    else if (info) return { graph: current, info }
    else throw needed[0]
  }
}

/** The inference of a graph, or what it lacks; partial inference has both. */
function tryInference(
  graph: Graph,
  options: InferOptions,
): { readonly info?: Inference; readonly needed: readonly ValueNeededError[] } {
  try {
    const info = inferGraph(graph, options)
    return { info, needed: info.open }
  } catch (error) {
    if (error instanceof ValueNeededError) return { needed: [error] }
    throw error
  }
}

/** All outputs of a node as constants, where inference knows every element. */
function knownOutputs(node: Node, info: Inference): Map<string, ConstantTensor> | undefined {
  const known = new Map<string, ConstantTensor>()
  for (const name of node.outputs) {
    if (name === '') continue
    const tensor = constantFromValues(info, name)
    if (!tensor) return undefined
    known.set(name, tensor)
  }
  return known.size > 0 ? known : undefined
}

function isFoldable(
  node: Node,
  info: Inference,
  constants: ReadonlyMap<string, ConstantTensor>,
  folded: ReadonlySet<string>,
): boolean {
  if (NEVER.has(node.opType) || node.captures?.length) return false
  const inputs = usesOf(node)
  if (!inputs.every((name) => constants.has(name) || folded.has(name))) return false
  if (inputs.some((name) => constants.get(name)?.dtype === 'string')) return false
  const bytes = (name: string): number => {
    const type = info.types.get(name)
    if (!type?.shape?.every((d): d is number => typeof d === 'number')) return Number.POSITIVE_INFINITY
    return byteLength(
      type.dtype,
      (type.shape as readonly number[]).reduce((p, d) => p * d, 1),
    )
  }
  const made = node.outputs.filter((o) => o !== '').reduce((sum, name) => sum + bytes(name), 0)
  const read = inputs.reduce((sum, name) => sum + bytes(name), 0)
  return made <= MAX_BYTES && made <= Math.max(4 * read, 2 ** 16)
}

/** The selected nodes as a graph of their own, whose outputs are what the rest reads. */
function islandOf(
  graph: Graph,
  constants: ReadonlyMap<string, ConstantTensor>,
  selected: readonly Node[],
  rest: readonly Node[],
  folded: ReadonlySet<string>,
): Graph {
  const wanted = new Set<string>()
  for (const node of rest) for (const name of usesOf(node)) if (folded.has(name)) wanted.add(name)
  for (const name of resultsOf(graph)) if (folded.has(name)) wanted.add(name)
  const used = new Map<string, ConstantTensor>()
  for (const node of selected) {
    for (const name of usesOf(node)) {
      const tensor = constants.get(name)
      if (tensor) used.set(name, tensor)
    }
  }
  return {
    name: `${graph.name}:constants`,
    inputs: [],
    outputs: [...wanted],
    nodes: selected,
    constants: used,
    types: graph.types,
    captures: [],
  }
}
