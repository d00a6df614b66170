/** Weights of a product that are -s and s in each output channel. */
import { floatAttribute, intAttribute, type Node } from '../graph/graph.js'
import type { GraphEditor } from '../graph/rewrite.js'
import { elementCount, floatsOf, numbersOf, tensorFromNumbers } from '../graph/tensor.js'

/** Where the thresholds of a product are added. */
interface WrittenBias {
  /** Inputs of the product after its weights. */
  readonly inputs: readonly string[]
  /** What to add after it instead. */
  readonly rest?: string
}

export interface SignWeights {
  readonly channels: number
  /** Products of a sum. */
  readonly depth: number
  /** The file has them as levels of 8 bits already. */
  readonly isQuantized: boolean
  scaleOf(c: number): number
  biasOf(c: number): number
  /** DequantizeLinear of their signs, times a scale and a direction for each channel. */
  write(editor: GraphEditor, scales: readonly number[], directions: readonly number[]): string
  writeBias(editor: GraphEditor, values: readonly number[]): WrittenBias
}

export function signWeights(editor: GraphEditor, node: Node): SignWeights | undefined {
  const axis = channelAxisOf(node)
  const stored = axis === undefined ? undefined : storedWeights(editor, node.inputs[1] ?? '')
  if (axis === undefined || !stored) return undefined
  const { dims, values } = stored
  if (node.opType !== 'Conv' && dims.length !== 2) return undefined
  const channels = dims[axis] ?? 0
  const inner = elementCount(dims.slice(axis + 1))
  const channelOf = (i: number) => Math.floor(i / inner) % channels
  const scales = scalesOf(values, channels, channelOf)
  const biases = biasesOf(editor, node, channels)
  if (!scales || !biases) return undefined
  return {
    channels,
    depth: values.length / channels,
    isQuantized: stored.isQuantized,
    scaleOf: (c) => scales[c] as number,
    biasOf: (c) => biases[biases.length === 1 ? 0 : c] ?? 0,
    write(to, factors, directions) {
      const levels = Int8Array.from(values, (v, i) => Math.sign(v) * (directions[channelOf(i)] as number))
      const base = node.inputs[1] as string
      const q = to.addConstant(`${base}:signs`, tensorFromNumbers('int8', dims, levels))
      const scale = to.addConstant(`${base}:scale`, tensorFromNumbers('float32', [channels], factors))
      const output = to.freshValue(`${base}:dequantized`)
      const name = to.freshNode(`${base}:dequantize`)
      const attributes = { axis: { kind: 'int', value: axis } } as const
      to.add({
        name,
        opType: 'DequantizeLinear',
        domain: '',
        inputs: [q, scale],
        outputs: [output],
        attributes,
        origin: [node.name],
      })
      return output
    },
    writeBias(to, list) {
      const bias = to.addConstant(`${node.name}:bias`, tensorFromNumbers('float32', [channels], list))
      return node.opType === 'MatMul' ? { inputs: [], rest: bias } : { inputs: [bias] }
    },
  }
}

function channelAxisOf(node: Node): number | undefined {
  if (node.domain !== '') return undefined
  switch (node.opType) {
    case 'Conv':
      return 0
    case 'MatMul':
      return 1
    case 'Gemm': {
      const isPlain = floatAttribute(node, 'alpha', 1) === 1 && floatAttribute(node, 'beta', 1) === 1
      if (!isPlain || intAttribute(node, 'transA', 0) !== 0) return undefined
      return intAttribute(node, 'transB', 0) === 0 ? 1 : 0
    }
    default:
      return undefined
  }
}

/** Float weights, or those that a DequantizeLinear without a zero point makes of -1 and 1. */
function storedWeights(editor: GraphEditor, value: string) {
  const constant = editor.constant(value)
  if (constant?.dtype === 'float32')
    return { dims: constant.dims, values: floatsOf(constant), isQuantized: false }
  const dequantize = editor.producer(value)
  if (dequantize?.opType !== 'DequantizeLinear') return undefined
  const [q = '', s = '', z = ''] = dequantize.inputs
  const [levels, scale, zero] = [editor.constant(q), editor.constant(s), editor.constant(z)]
  if (levels?.dtype !== 'int8' || scale?.dtype !== 'float32') return undefined
  if (z !== '' && (!zero || numbersOf(zero).some((v) => v !== 0))) return undefined
  if (intAttribute(dequantize, 'block_size', 0) !== 0) return undefined
  const scales = floatsOf(scale)
  const { dims } = levels
  const axis = (intAttribute(dequantize, 'axis', 1) + dims.length) % Math.max(dims.length, 1)
  const inner = elementCount(dims.slice(axis + 1))
  const size = dims[axis] ?? 1
  const signs = numbersOf(levels)
  if (!signs.every((v) => v === 1 || v === -1)) return undefined
  const values = Float32Array.from(
    signs,
    (v, i) => v * (scales[scales.length === 1 ? 0 : Math.floor(i / inner) % size] as number),
  )
  return { dims, values, isQuantized: true }
}

/** The magnitude of each channel, where all of its weights have the same, and none is 0, infinite or subnormal. */
function scalesOf(
  values: Float32Array,
  channels: number,
  channelOf: (i: number) => number,
): Float32Array | undefined {
  const scales = new Float32Array(channels)
  for (let i = 0; i < values.length; i++) {
    const magnitude = Math.abs(values[i] as number)
    const c = channelOf(i)
    if (scales[c] === 0) {
      if (!(magnitude >= 2 ** -100 && magnitude <= 2 ** 100)) return undefined
      scales[c] = magnitude
    } else if (scales[c] !== magnitude) return undefined
  }
  return channels > 0 && values.length > 0 ? scales : undefined
}

/** The bias of a product, one or one per channel; undefined: it is no constant. */
function biasesOf(editor: GraphEditor, node: Node, channels: number): Float32Array | undefined {
  const name = node.inputs[2] ?? ''
  if (name === '') return Float32Array.of(0)
  const bias = editor.constant(name)
  if (bias?.dtype !== 'float32') return undefined
  const count = elementCount(bias.dims)
  const isVector = (bias.dims.at(-1) ?? 1) === count
  return isVector && (count === 1 || count === channels) ? floatsOf(bias) : undefined
}
