/** Products with constant weights, seen from their input: which scale and shift per channel they can take in. */
import { floatAttribute, intAttribute, type Node } from '../graph/graph.js'
import type { GraphEditor } from '../graph/rewrite.js'
import { int64s } from '../graph/tensor.js'
import type { Inference } from '../ops/core/infer.js'
import { hasNoPads } from './carry.js'
import { alongAxis, constantOf, type Spread } from './spread.js'

/** The graph under way: its types, and the sizes of new values that become constants when folding evaluates them. */
export interface Work {
  readonly editor: GraphEditor
  readonly types: Inference['types']
  readonly derived: Map<string, readonly number[]>
}

export interface InputChannels {
  /** One element per channel, the same along all other axes. */
  fits(spread: Spread): boolean
  /** The elements as they broadcast to the weights. */
  column(spread: Spread): Spread
  /** A shift of the input is a shift of every output: nothing is padded, and there is a bias or a place for one. */
  readonly takesOffset: boolean
  /** How many output channels there are. */
  readonly outputs: number
  /** Axes of the weights that a product sums over. */
  readonly summed: readonly number[]
  /** The Add of a bias after a MatMul. */
  readonly bias?: Node
}

/** By the operator alone. */
export function isProduct(node: Node): boolean {
  return node.domain === '' && /^(Conv|ConvTranspose|Gemm|MatMul)$/.test(node.opType)
}

/** undefined: no product of weights that are constant, or become so when nodes on constants are folded. */
export function inputChannels(work: Work, node: Node): InputChannels | undefined {
  const rank = work.types.get(node.inputs[0] ?? '')?.shape?.length
  const dims = constantDims(work, node.inputs[1])
  if (node.domain !== '' || rank === undefined || dims === undefined) return undefined
  const make = (
    axis: number,
    size: number,
    dimsOf: (k: Float32Array) => Spread,
    more: Pick<InputChannels, 'takesOffset' | 'outputs' | 'summed' | 'bias'>,
  ): InputChannels => ({
    fits: (spread) => alongAxis(spread, axis, size) !== undefined,
    column: (spread) => dimsOf(alongAxis(spread, axis, size) as Float32Array),
    ...more,
  })
  const ones = (from: number) => dims.slice(from).map(() => 1)
  switch (node.opType) {
    case 'Conv': {
      const groups = intAttribute(node, 'group', 1)
      const [outputs, inputs] = dims as [number, number]
      const column = (k: Float32Array): Spread =>
        groups === 1
          ? { dims: [1, inputs, ...ones(2)], values: k }
          : { dims: [outputs, inputs, ...ones(2)], values: perGroup(k, outputs, inputs, groups) }
      return make(1, inputs * groups, column, {
        takesOffset: hasNoPads(node),
        outputs,
        summed: dims.map((_, i) => i).slice(1),
      })
    }
    case 'ConvTranspose':
      return make(1, dims[0] as number, (k) => ({ dims: [k.length, ...ones(1)], values: k }), {
        takesOffset: false,
        outputs: 0,
        summed: [],
      })
    case 'Gemm': {
      if (intAttribute(node, 'transA', 0) !== 0) return undefined
      const transposed = intAttribute(node, 'transB', 0) !== 0
      const [axis, columns] = transposed ? [1, dims[0]] : [0, dims[1]]
      const takesOffset =
        floatAttribute(node, 'alpha', 1) === 1 &&
        floatAttribute(node, 'beta', 1) === 1 &&
        isVector(work, node.inputs[2], columns)
      const column = (k: Float32Array): Spread => ({
        dims: transposed ? [1, k.length] : [k.length, 1],
        values: k,
      })
      return make(1, dims[axis] as number, column, {
        takesOffset,
        outputs: columns as number,
        summed: [axis as number],
      })
    }
    case 'MatMul': {
      if (dims.length !== 2) return undefined
      const bias = biasAfter(work, node, dims[1] as number)
      const more = {
        takesOffset: bias !== undefined,
        outputs: dims[1] as number,
        summed: [0],
        ...(bias ? { bias } : {}),
      }
      return make(rank - 1, dims[0] as number, (k) => ({ dims: [k.length, 1], values: k }), more)
    }
    default:
      return undefined
  }
}

/** Channel i of group g for every output of that group. */
function perGroup(k: Float32Array, outputs: number, inputs: number, groups: number): Float32Array {
  const each = outputs / groups
  return Float32Array.from({ length: outputs * inputs }, (_, at) => {
    const group = Math.floor(Math.floor(at / inputs) / each)
    return k[group * inputs + (at % inputs)] as number
  })
}

/** Sizes of a float constant; undefined: something else. */
function constantDims({ editor, derived }: Work, value = ''): readonly number[] | undefined {
  const constant = editor.constant(value)
  return constant?.dtype === 'float32' ? constant.dims : derived.get(value)
}

/** A bias that is absent, or one element per output. */
function isVector(work: Work, value: string | undefined, size: number | undefined): boolean {
  if (value === undefined || value === '') return true
  const dims = constantDims(work, value)
  return dims?.length === 1 && dims[0] === size
}

function biasAfter(work: Work, node: Node, size: number): Node | undefined {
  const output = node.outputs[0] as string
  const next = work.editor.soleReader(output)
  if (next?.opType !== 'Add' || next.domain !== '' || next.inputs[0] === next.inputs[1]) return undefined
  const constant = next.inputs[0] === output ? next.inputs[1] : next.inputs[0]
  return isVector(work, constant, size) && constant !== '' ? next : undefined
}

/** The product with w * k in place of w. */
export function withFactor(
  work: Work,
  name: string,
  channels: InputChannels,
  factor: Spread,
  base: string,
): void {
  const { editor } = work
  const node = editor.node(name) as Node
  const column = editor.addConstant(`${base}:column`, constantOf(channels.column(factor)))
  const weight = emit(
    work,
    'Mul',
    [node.inputs[1] as string, column],
    `${base}:weight`,
    constantDims(work, node.inputs[1]),
  )
  editor.update({ ...node, inputs: node.inputs.map((input, i) => (i === 1 ? weight : input)) })
}

/** The product with b + sum(w * c) in place of b. */
export function withOffset(
  work: Work,
  name: string,
  channels: InputChannels,
  offset: Spread,
  base: string,
): void {
  const { editor } = work
  const node = editor.node(name) as Node
  const column = editor.addConstant(`${base}:shift`, constantOf(channels.column(offset)))
  const products = emit(work, 'Mul', [node.inputs[1] as string, column], `${base}:shifted`, [])
  const axes = editor.addConstant(`${base}:axes`, int64s(channels.summed))
  const sum = emit(work, 'ReduceSum', [products, axes], `${base}:sum`, [channels.outputs], {
    keepdims: { kind: 'int', value: 0 },
  })
  const target = channels.bias === undefined ? node : (editor.node(channels.bias.name) as Node)
  const at = channels.bias === undefined ? 2 : target.inputs.indexOf(node.outputs[0] as string) === 0 ? 1 : 0
  const old = target.inputs[at] ?? ''
  const bias = old === '' ? sum : emit(work, 'Add', [old, sum], `${base}:bias`, [channels.outputs])
  const inputs = [...target.inputs]
  while (inputs.length <= at) inputs.push('')
  inputs[at] = bias
  editor.update({ ...target, inputs })
}

function emit(
  { editor, derived }: Work,
  opType: string,
  inputs: readonly string[],
  base: string,
  dims: readonly number[] = [],
  attributes: Node['attributes'] = {},
): string {
  const output = editor.freshValue(base)
  derived.set(output, dims)
  editor.add({ name: editor.freshNode(base), opType, domain: '', inputs, outputs: [output], attributes })
  return output
}
