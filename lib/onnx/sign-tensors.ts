/** Levels -1 and 1 of a DequantizeLinear as bits with two numbers for each row, and back. */
import type { ConstantTensor, Graph, Node } from '../graph/graph.js'
import { intAttribute } from '../graph/graph.js'
import { Names } from '../graph/names.js'
import { elementCount, floatsOf, int64s, numbersOf, tensorFromNumbers, tensorOf } from '../graph/tensor.js'
import { SIGN_DOMAIN, SIGN_FUNCTIONS, SIGN_INPUTS, type SignOrder } from './sign-function.js'

/** The inputs of a call, in the order of the function. */
interface SignCall {
  readonly order: SignOrder
  readonly inputs: readonly [
    bits: ConstantTensor,
    low: ConstantTensor,
    high: ConstantTensor,
    sizes: ConstantTensor,
  ]
}

/** What a DequantizeLinear takes. */
export interface SignLevels {
  readonly levels: ConstantTensor
  readonly scale: ConstantTensor
  readonly zeroPoint: ConstantTensor
  readonly axis: number
}

/** The names that constants of a DequantizeLinear get where it is read from a call, after that of the bits. */
export const SIGN_PARTS = ['levels', 'scale', 'zero_point'] as const

/** The constants of the call that levels were read from, which only the file has any use for; empty: they were no bits there. */
export function signConstants({ constants }: Graph, levels: string): readonly string[] {
  const end = `_${SIGN_PARTS[0]}`
  const bits = levels.endsWith(end) ? levels.slice(0, -end.length) : ''
  const [, low, high, sizes] = SIGN_INPUTS
  const start = bits.endsWith(`_${SIGN_INPUTS[0]}`) ? bits.slice(0, -SIGN_INPUTS[0].length) : undefined
  if (
    start === undefined ||
    constants.get(levels)?.dtype !== 'int8' ||
    constants.get(bits)?.dtype !== 'uint8'
  )
    return []
  return [bits, ...[low, high, sizes].map((part) => `${start}${part}`).filter((name) => constants.has(name))]
}

/** Every DequantizeLinear of constant int8 levels -1 and 1, with a scale for all or for each row or column, as a call of the function. */
export function withSignCalls(graph: Graph): Graph {
  const found = new Map<Node, SignCall>()
  for (const node of graph.nodes) {
    const call = signCall(graph, node)
    if (call) found.set(node, call)
  }
  if (found.size === 0) return graph
  const constants = new Map(graph.constants)
  const names = new Names([
    ...graph.inputs,
    ...graph.constants.keys(),
    ...graph.nodes.flatMap((n) => n.outputs),
  ])
  const nodes = graph.nodes.map((node): Node => {
    const call = found.get(node)
    if (!call) return node
    const inputs = call.inputs.map((tensor, i) => {
      const name = names.fresh(`${node.inputs[0]}_${SIGN_INPUTS[i]}`)
      constants.set(name, tensor)
      return name
    })
    return { ...node, opType: SIGN_FUNCTIONS[call.order], domain: SIGN_DOMAIN, inputs, attributes: {} }
  })
  const read = new Set([...nodes.flatMap((n) => [...n.inputs, ...(n.captures ?? [])]), ...graph.outputs])
  for (const node of found.keys()) for (const name of node.inputs) if (!read.has(name)) constants.delete(name)
  return { ...graph, nodes, constants }
}

function signCall(graph: Graph, node: Node): SignCall | undefined {
  if (node.opType !== 'DequantizeLinear' || intAttribute(node, 'block_size', 0) !== 0) return undefined
  const [q, s, z] = node.inputs.map((name) => graph.constants.get(name))
  if (q?.dtype !== 'int8' || s?.dtype !== 'float32' || (node.inputs.length > 2 && z?.dtype !== 'int8'))
    return undefined
  const { dims } = q
  const scales = floatsOf(s)
  const zeros = z ? numbersOf(z) : new Float64Array(1)
  const given = intAttribute(node, 'axis', 1)
  const axis = scales.length === 1 ? 0 : given < 0 ? given + dims.length : given
  const isColumns = axis === 1 && dims.length === 2
  const levels = numbersOf(q)
  if (dims.length === 0 || levels.length === 0 || (axis !== 0 && !isColumns)) return undefined
  if (!levels.every((v) => v === 1 || v === -1) || !zeros.every((v) => Math.abs(v) <= 1)) return undefined
  const rows = dims[axis] as number
  const across = levels.length / rows
  const at = isColumns ? (r: number, i: number) => i * rows + r : (r: number, i: number) => r * across + i
  const bytes = Math.ceil(across / 8)
  const bits = new Uint8Array(rows * bytes)
  for (let r = 0; r < rows; r++)
    for (let i = 0; i < across; i++)
      if (levels[at(r, i)] === 1)
        bits[r * bytes + (i >> 3)] = (bits[r * bytes + (i >> 3)] as number) | (1 << (i & 7))
  const sizes = isColumns ? [rows, across] : dims
  const ends = (level: number) => {
    const values = Float32Array.from(
      { length: Math.max(scales.length, zeros.length) },
      (_, r) =>
        (level - (zeros[zeros.length === 1 ? 0 : r] as number)) *
        (scales[scales.length === 1 ? 0 : r] as number),
    )
    return tensorOf('float32', [values.length, ...sizes.slice(1).map(() => 1)], values)
  }
  return {
    order: isColumns ? 'columns' : 'rows',
    inputs: [tensorOf('uint8', [rows, bytes], bits), ends(-1), ends(1), int64s(sizes)],
  }
}

/** The way back; undefined: the tensors do not fit each other, or the two numbers of a row are no levels -1 and 1. */
export function signLevels(
  order: SignOrder,
  inputs: readonly (ConstantTensor | undefined)[],
): SignLevels | undefined {
  const [bits, low, high, sizes] = inputs
  if (bits?.dtype !== 'uint8' || low?.dtype !== 'float32' || high?.dtype !== 'float32') return undefined
  if (sizes?.dtype !== 'int64' || bits.dims.length !== 2) return undefined
  const shape = [...numbersOf(sizes)]
  const [rows = 0, bytes = 0] = bits.dims
  const across = elementCount(shape.slice(1))
  const fits =
    shape.length >= (order === 'columns' ? 2 : 1) && shape[0] === rows && Math.ceil(across / 8) === bytes
  if (!fits || (order === 'columns' && shape.length !== 2) || rows === 0 || across < 1) return undefined
  const ends = [rowsOf(low, rows, shape.length), rowsOf(high, rows, shape.length)]
  const [lows, highs] = ends
  if (!lows || !highs) return undefined
  const parameters = Array.from({ length: Math.max(lows.length, highs.length) }, (_, r) =>
    parametersOf(lows[lows.length === 1 ? 0 : r] as number, highs[highs.length === 1 ? 0 : r] as number),
  )
  if (!parameters.every((p) => p !== undefined)) return undefined
  const { data } = bits
  const levels = new Int8Array(rows * across)
  for (let r = 0; r < rows; r++) {
    const { sign } = parameters[parameters.length === 1 ? 0 : r] as Parameters
    for (let i = 0; i < across; i++) {
      const isHigh = ((data[r * bytes + (i >> 3)] as number) >> (i & 7)) & 1
      levels[order === 'rows' ? r * across + i : i * rows + r] = isHigh ? sign : -sign
    }
  }
  const list = parameters.length === 1 ? [] : [parameters.length]
  return {
    levels: tensorOf('int8', order === 'rows' ? shape : [across, rows], levels),
    scale: tensorFromNumbers(
      'float32',
      list,
      parameters.map(({ scale }) => scale),
    ),
    zeroPoint: tensorFromNumbers(
      'int8',
      list,
      parameters.map(({ zero }) => zero),
    ),
    axis: order === 'rows' ? 0 : 1,
  }
}

/** One number, or one for each row. */
function rowsOf(tensor: ConstantTensor, rows: number, rank: number): Float32Array | undefined {
  const values = floatsOf(tensor)
  if (values.length === 1) return values
  const { dims } = tensor
  const isAlong = dims.length === rank && dims[0] === rows && values.length === rows
  return isAlong ? values : undefined
}

interface Parameters {
  readonly scale: number
  readonly zero: number
  /** Of the high number's level. */
  readonly sign: 1 | -1
}

/** (1 - zero) * scale and (-1 - zero) * scale, exactly. */
function parametersOf(low: number, high: number): Parameters | undefined {
  const sign = high >= low ? 1 : -1
  const [least, most] = [Math.min(low, high), Math.max(low, high)]
  const scale = (most - least) / 2
  const zero = least === -most ? 0 : least === 0 ? -1 : most === 0 ? 1 : undefined
  const isScale = scale >= 2 ** -126 && scale <= 2 ** 126
  return zero === undefined || !isScale ? undefined : { scale, zero, sign }
}
