/** A part as a graph of its own, made for the samples that it will run on. */
import type { EngineTensor } from '../../calibrate/engine.js'
import type { Sample } from '../../calibrate/reservoir.js'
import { type Dim, dimKey, symbol } from '../../graph/expr.js'
import { type ConstantTensor, type Graph, type Node, type TensorType, usesOf } from '../../graph/graph.js'
import { sameTensor } from '../../graph/tensor.js'

/** Integer inputs up to this size that are the same in all samples, such as shapes, are constants. */
const MAX_CONSTANT_BYTES = 512

export interface PartGraphInput {
  readonly name: string
  readonly nodes: readonly Node[]
  /** Values that the nodes read and do not make. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly constants: ReadonlyMap<string, ConstantTensor>
  /** At least one; each has all inputs. */
  readonly samples: readonly Sample[]
  /** Types of values in the whole graph. */
  readonly types: ReadonlyMap<string, TensorType>
}

/** Sizes that all samples share are numbers in it, others symbols; equal expressions stay equal. */
export function partGraph(part: PartGraphInput): Graph {
  const used = new Set(part.nodes.flatMap(usesOf))
  const constants = new Map<string, ConstantTensor>()
  for (const name of used) {
    const constant = part.constants.get(name)
    if (constant) constants.set(name, constant)
  }
  const inputs: string[] = []
  const types = new Map<string, TensorType>()
  for (const name of part.inputs) {
    const tensors = part.samples.map((sample) => sample[name] as EngineTensor)
    const [first] = tensors as [EngineTensor]
    if (
      first.dtype !== 'float32' &&
      first.data.byteLength <= MAX_CONSTANT_BYTES &&
      tensors.every((t) => sameTensor(t, first))
    ) {
      constants.set(name, first)
      continue
    }
    inputs.push(name)
    types.set(name, { dtype: first.dtype, shape: sharedShape(tensors, part.types.get(name)?.shape, name) })
  }
  const outputs = [...new Set(part.outputs)]
  return { name: part.name, inputs, outputs, nodes: part.nodes, constants, types, captures: [] }
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
    return symbol(
      size === undefined || typeof size === 'number'
        ? `${name}_${axis}`
        : `size_${dimKey(size).replace(/\W+/g, '_')}`,
    )
  })
}
