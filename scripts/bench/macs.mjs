// What a model has to do at least, from the shapes of its graph: multiply-accumulates, and weights to read.
import { readModel } from '../../dist/onnx/index.js'
import { inferGraph } from '../../dist/ops/core/infer.js'

const product = (dims) => dims.reduce((p, d) => p * d, 1)

/**
 * Multiply-accumulates of one run over an input of these sizes, and elements of the weights that they use; nodes: of each node
 * that has some, by name, its own, and what it is.
 */
export async function countWork(path, dims) {
  const { graph } = await readModel(path)
  const [input] = graph.inputs
  const inputTypes = new Map([[input, { ...graph.types.get(input), shape: dims }]])
  const { types } = inferGraph(graph, { inputTypes })
  const shape = (value) => types.get(value).shape
  let macs = 0
  let weights = 0
  const nodes = new Map()
  for (const node of graph.nodes) {
    const count = COUNTS[node.opType]
    if (count === undefined || node.domain !== '') continue
    const own = count(node, shape)
    nodes.set(node.name, { macs: own, kind: kindOf(node, shape) })
    macs += own
    if (graph.constants.has(node.inputs[1])) weights += product(shape(node.inputs[1]))
  }
  return { macs, weights, nodes }
}

function kindOf({ opType, inputs, attributes }, shape) {
  if (opType !== 'Conv') return opType
  const [, channels, ...kernel] = shape(inputs[1])
  if (channels === 1 && attributes.group?.value > 1) return `Conv ${kernel.join('x')} depthwise`
  return `Conv ${kernel.join('x')}${channels <= 4 ? ` of ${channels} channels` : ''}`
}

/** Products of the operators that have them; everything else is linear in its elements. */
const COUNTS = {
  // Weights are [outputs, inputs / group, kernel...]: each element of the output takes all but the first size.
  Conv: ({ inputs, outputs }, shape) => product(shape(outputs[0])) * product(shape(inputs[1]).slice(1)),
  // Weights are [inputs, outputs / group, kernel...]: each element of the input goes to all but the first size.
  ConvTranspose: ({ inputs }, shape) => product(shape(inputs[0])) * product(shape(inputs[1]).slice(1)),
  MatMul: ({ inputs, outputs }, shape) => product(shape(outputs[0])) * shape(inputs[0]).at(-1),
  Gemm: ({ inputs, outputs, attributes }, shape) =>
    product(shape(outputs[0])) * shape(inputs[0])[attributes.transA?.value === 1 ? 0 : 1],
}
