/** Weights of a file: their numbers, their scales, and the bits that they take. */

import { prepare } from '../compile/model.js'
import { compilePlan } from '../compile/run/engine.js'
import { OctavoError } from '../errors.js'
import type { Pace } from '../event-loop.js'
import { byteLength, type DType } from '../graph/dtype.js'
import { type ConstantTensor, type Graph, intAttribute, type Node } from '../graph/graph.js'
import { elementCount, numbersOf, typedArrayOf } from '../graph/tensor.js'
import { signConstants } from '../onnx/sign-tensors.js'
import { bitsInMemory } from './memory-bits.js'
import { type Summary, summarize } from './summary.js'

/**
 * A constant of at least two elements that is float, or that a DequantizeLinear or an operator of weights in blocks reads.
 * The numbers of its summary are the real ones, (q - zero point) * scale, of a DequantizeLinear; else the stored ones.
 */
export interface InspectedWeights extends Summary {
  /** Its name in the model. */
  readonly name: string
  /** Element type in the file. */
  readonly type: DType
  /** Sizes, outermost first. */
  readonly shape: readonly number[]
  /** Of quantized weights: one number for the tensor, or one for each index of `axis`, or each block, row-major. Absent for float weights. */
  readonly scale?: readonly number[]
  /** Of quantized weights: as many integers as there are scales, 0 where the model has none. */
  readonly zeroPoint?: readonly number[]
  /** Of quantized weights with several scales: the axis that they are along. */
  readonly axis?: number
  /** Of weights in blocks: elements along `axis` that share a scale. */
  readonly blockSize?: number
  /** Bits of a weight in the file, scales and zero points included. */
  readonly fileBits: number
  /**
   * Bits of a weight in the memory of a session, scales and zero points included, without what fills up panels; of weights that
   * are in memory twice, the sum. Absent where no step has them, and of models that do not run, or are compiled for what they are fed.
   */
  readonly memoryBits?: number
}

/** Constants smaller than this are parameters of operators rather than weights. */
const LEAST_WEIGHTS = 2

/** Operators of onnxruntime whose weights are bytes: positions of weights, scales and zero points. */
const BLOCK_OPERATORS: Readonly<Record<string, readonly [number, number, number]>> = {
  MatMulNBits: [1, 2, 3],
  MatMulBnb4: [1, 2, -1],
  GatherBlockQuantized: [0, 2, 3],
}

export async function inspectWeights(graph: Graph, pace: Pace): Promise<InspectedWeights[]> {
  const readers = new Map<string, Node>()
  const parameters = new Set<string>()
  for (const node of graph.nodes) {
    const positions = positionsOf(node)
    if (/^(Quantize|Dequantize)Linear$/.test(node.opType))
      for (const p of node.inputs.slice(1)) parameters.add(p)
    if (!positions) continue
    const weights = node.inputs[positions[0]] ?? ''
    readers.set(weights, node)
    for (const part of signConstants(graph, weights)) parameters.add(part)
    for (const at of positions.slice(1)) parameters.add(node.inputs[at] ?? '')
  }
  const memory = await memoryOf(graph)
  const weights: InspectedWeights[] = []
  for (const [name, tensor] of graph.constants) {
    const reader = readers.get(name)
    const float = tensor.dtype.startsWith('float') || tensor.dtype === 'bfloat16'
    if (parameters.has(name) || elementCount(tensor.dims) < LEAST_WEIGHTS || !(reader || float)) continue
    weights.push(await inspectConstant(graph, name, tensor, reader, memory?.get(name), pace))
  }
  return weights
}

function positionsOf({ opType, domain }: Node): readonly [number, number, number] | undefined {
  if (opType === 'DequantizeLinear') return [0, 1, 2]
  return domain === 'com.microsoft' ? BLOCK_OPERATORS[opType] : undefined
}

/** Bits that the steps of a session hold, by constant; undefined where only feeds tell how the model is compiled, and where it is not. */
async function memoryOf(graph: Graph): Promise<ReadonlyMap<string, number> | undefined> {
  try {
    return bitsInMemory(compilePlan(await prepare(graph)).plan)
  } catch (error) {
    if (error instanceof OctavoError) return undefined
    throw error
  }
}

async function inspectConstant(
  graph: Graph,
  name: string,
  tensor: ConstantTensor,
  reader: Node | undefined,
  held: number | undefined,
  pace: Pace,
): Promise<InspectedWeights> {
  const positions = reader && positionsOf(reader)
  const [scales, zeros] = (positions ?? [])
    .slice(1)
    .map((at) => graph.constants.get(reader?.inputs[at] ?? ''))
  // A byte of onnxruntime's own operators holds several weights.
  const perByte =
    reader && reader.opType !== 'DequantizeLinear' && tensor.dtype === 'uint8'
      ? 8 / intAttribute(reader, 'bits', 4)
      : 1
  const count = elementCount(tensor.dims) * perByte
  const signs = signConstants(graph, name).map((part) => graph.constants.get(part))
  const stored = (signs.length > 0 ? signs : [tensor, scales, zeros]).reduce(
    (n, t) => n + (t ? byteLength(t.dtype, elementCount(t.dims)) : 0),
    0,
  )
  const base = {
    ...{ name, type: tensor.dtype, shape: tensor.dims, fileBits: (stored * 8) / count },
    ...(held === undefined ? {} : { memoryBits: held / count }),
  }
  const numbers = viewNumbers(tensor)
  await pace.breathe()
  if (!reader || !scales || reader.opType !== 'DequantizeLinear') {
    return { ...base, ...(await summarize(numbers, (x) => x, pace)) }
  }
  const scale = [...numbersOf(scales)]
  const zeroPoint = zeros ? [...numbersOf(zeros)] : scale.map(() => 0)
  const { at, axis, blockSize } = scaleOf(tensor, scale.length, reader)
  const real = (q: number, i: number) => (q - (zeroPoint[at(i)] ?? 0)) * (scale[at(i)] ?? Number.NaN)
  return {
    ...{ ...base, ...(await summarize(numbers, real, pace)), scale, zeroPoint },
    ...(axis === undefined ? {} : { axis }),
    ...(blockSize === undefined ? {} : { blockSize }),
  }
}

/** Which scale an element has. */
function scaleOf({ dims }: ConstantTensor, scales: number, reader: Node) {
  if (scales === 1) return { at: () => 0 }
  const stated = intAttribute(reader, 'axis', 1)
  const axis = stated < 0 ? stated + dims.length : stated
  const inner = dims.slice(axis + 1).reduce((p, d) => p * d, 1)
  const size = intAttribute(reader, 'block_size', 0)
  if (size === 0) return { at: (i: number) => Math.floor(i / inner) % scales, axis }
  const length = dims[axis] as number
  const blocks = Math.ceil(length / size)
  const at = (i: number) => {
    const outer = Math.floor(i / (inner * length))
    return (outer * blocks + Math.floor((Math.floor(i / inner) % length) / size)) * inner + (i % inner)
  }
  return { at, axis, blockSize: size }
}

/** Elements without a copy, where the type is one of JavaScript's. */
function viewNumbers(tensor: ConstantTensor): ArrayLike<number> {
  const direct = ['float32', 'float64', 'int8', 'uint8', 'int16', 'int32']
  return direct.includes(tensor.dtype)
    ? (typedArrayOf(tensor.dtype, tensor.data) as ArrayLike<number>)
    : numbersOf(tensor)
}
