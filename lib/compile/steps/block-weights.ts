/**
 * `DequantizeLinear(b) [-> Transpose] -> MatMul  =>  BlockMatMul(b)`, and of a Conv of one group, where b is a constant of 8, 4 or 2
 * bits: the weights stay packed, and no float copy of them is ever made. Which activations become integers is as
 * onnxruntime does it (MatMulNBits of accuracy level 4), unless the file or the session says something else.
 */
import type { BlockActivations } from '../../graph/graph.js'
import { floatsOf, intOf, ints, intsOf, texts } from '../../plan/attributes.js'
import { attributesOf, type BuiltStep, steps } from '../../plan/build.js'
import { addAlias, addTensor, type Draft, type DraftIndex, isConstant } from '../../plan/draft.js'
import { operand } from '../../plan/operands.js'
import type { PlanStep, PlanTensor } from '../../plan/plan.js'
import { rewriteSteps } from '../../plan/rewrite.js'
import {
  type BlockMatrix,
  blockMatrix,
  type DequantizedMatrix,
  dequantizedMatrix,
  scaledBy,
} from './blocks.js'
import { floatConstant } from './params.js'

/** Bytes of the windows of a Conv: more are not worth the memory that packed weights save. */
const MOST_PATCHES = 2 ** 24
/** The kernels' shortest block, but where that is all of k. */
const SHORTEST = 16
/** Activations that share a scale where all weights of a column do: as many as onnxruntime takes then. */
const CHANNEL_BLOCK = 32

export function blockWeights(draft: Draft, activations?: BlockActivations): Draft {
  return rewriteSteps(draft, (step, { index }) => {
    if (step.op !== 'MatMul' && step.op !== 'Conv') return undefined
    if (draft.tensors[step.outputs[0] as number]?.dtype !== 'float32') return undefined
    const product = step.op === 'MatMul' ? ofMatMul(draft, index, step) : ofConv(draft, index, step)
    if (product === undefined) return undefined
    if (typeof product === 'string') return { ...step, reason: product }
    return withBlocks(draft, step, product, activations)
  })
}

/** A product of float rows and a matrix [n, k] (or [k, n]) of levels. */
interface BlockProduct {
  readonly a: number
  readonly source: DequantizedMatrix
  readonly matrix: BlockMatrix
  /** Levels are [n, k]. */
  readonly transB: boolean
  /** The step that makes a. */
  readonly before?: PlanStep
  /** onnxruntime computes it with int8 activations. */
  readonly fused: boolean
}

function ofMatMul(draft: Draft, index: DraftIndex, step: PlanStep): BlockProduct | string | undefined {
  const [a, b] = [operand(step, 'a'), operand(step, 'b')]
  const source = dequantizedMatrix(draft, index, b)
  if (!source) return undefined
  if (step.attributes.fn !== undefined) return 'it is fused with a float activation'
  if (intOf(step, 'trans_a', 0) !== 0) return 'its first input is transposed'
  const [left, right] = [draft.tensors[a], draft.tensors[b]] as [PlanTensor, PlanTensor]
  if (left.dims.length < right.dims.length) return 'its weights have more axes than its activations'
  const stated = intOf(step, 'trans_b', 0) !== 0
  const product = asProduct(draft, a, source, stated !== source.transposed)
  if (typeof product === 'string' || !source.own || stated) return product
  // onnxruntime takes a Gemm with other factors than 1 for no MatMul, and folds a Transpose of bytes with one scale or
  // scales of columns, of nothing else.
  const factors = operand(step, 'bias') < 0 ? ['alpha'] : ['alpha', 'beta']
  if (factors.some((name) => (floatsOf(step, name)[0] ?? 1) !== 1)) return product
  const blocked = intOf(source.dequantize, 'block_size', 0) !== 0
  if (source.transposed && (blocked || product.matrix.bits < 8)) return product
  return { ...product, fused: !blocked || Number.isInteger(Math.log2(product.matrix.size)) }
}

/** A product of what each window reads; of a kernel of one element, of the input itself. */
function ofConv(draft: Draft, index: DraftIndex, step: PlanStep): BlockProduct | string | undefined {
  const w = operand(step, 'w')
  const [n, k, ...kernel] = index.tensor(w).dims
  const producer = index.producer(index.root(w))
  if (producer?.op !== 'DequantizeLinear' || !isConstant(draft, operand(producer, 'x'))) return undefined
  if (typeof n !== 'number' || typeof k !== 'number') return undefined
  if (step.attributes.fn !== undefined || operand(step, 'residual') >= 0)
    return 'it is fused with a float activation'
  if (intOf(step, 'group', 1) !== 1) return 'weights of groups are expanded to float'
  const taps = kernel.reduce<number>((p, d) => p * (d as number), 1)
  const own = index.readers(index.root(w)).length === 1
  const source = { dequantize: producer, transposed: false, rows: n, columns: k * taps, own }
  const plain = taps === 1 && intsOf(step, 'strides').every((d) => d === 1)
  if (plain && intsOf(step, 'pads').every((d) => d === 0)) {
    return asProduct(draft, operand(step, 'x'), source, true)
  }
  const out = draft.tensors[step.outputs[0] as number] as PlanTensor
  const dims = [...out.dims.slice(0, -1), k * taps]
  if (dims.reduce<number>((p, d) => (typeof d === 'number' ? p * d : Infinity), 4) > MOST_PATCHES)
    return 'its windows take more memory than float weights: they are expanded'
  const a = addTensor(draft, { name: `${out.name}_patches`, dtype: 'float32', dims, kind: 'scratch' })
  const product = asProduct(draft, a, source, true)
  if (typeof product === 'string') return product
  const { strides, pads, dilations } = attributesOf('Conv', step)
  const attributes = { kernel: ints(...kernel), strides, pads, dilations }
  const patches = { ...steps.Patches({ x: operand(step, 'x') }, attributes), outputs: [a], nodes: step.nodes }
  return { ...product, before: patches }
}

function asProduct(
  draft: Draft,
  a: number,
  source: DequantizedMatrix,
  transB: boolean,
): BlockProduct | string {
  const matrix = blockMatrix(draft, source.dequantize, source.rows, source.columns)
  if (typeof matrix === 'string') return matrix
  const { rows, columns, size } = matrix
  const k = transB ? columns : rows
  const turned = transB ? matrix.axis === 0 : matrix.axis === 1
  // A single block along the other axis is a scale for each k, unless all of them are the same.
  const product = { a, source, transB, fused: false }
  if (turned) {
    const even = evenScale(draft, matrix, transB)
    return even ? { ...product, matrix: even } : 'its scales are along the columns of the result'
  }
  if (size < SHORTEST && size < k)
    return `its weights are in groups of ${size}: packed ones have at least ${SHORTEST}`
  return { ...product, matrix }
}

/** One scale for a whole tensor, written for rows, as one for each column. */
function evenScale(draft: Draft, matrix: BlockMatrix, transB: boolean): BlockMatrix | undefined {
  const values = floatConstant(draft, matrix.scale)
  const single =
    matrix.zeroPoint < 0 || (draft.tensors[matrix.zeroPoint] as PlanTensor).dims.every((d) => d === 1)
  if (!values || values.length === 0 || !single || !values.every((v) => v === values[0])) return undefined
  const n = transB ? matrix.rows : matrix.columns
  const data = new Uint8Array(new Float32Array(n).fill(values[0] as number).buffer)
  const dims = transB ? [n, 1] : [1, n]
  const scale = addTensor(draft, { name: '', dtype: 'float32', dims, kind: 'constant', data })
  return transB
    ? { ...matrix, axis: 1, size: matrix.columns, scale }
    : { ...matrix, axis: 0, size: matrix.rows, scale }
}

function withBlocks(
  draft: Draft,
  step: PlanStep,
  { a, matrix, transB, fused, before }: BlockProduct,
  wanted: BlockActivations | undefined,
): PlanStep | readonly PlanStep[] {
  const n = transB ? matrix.rows : matrix.columns
  const scale = scaledBy(draft, matrix.scale, floatsOf(step, 'alpha')[0] ?? 1)
  if (scale < 0) return { ...step, reason: 'its scales are not float32' }
  const activations = wanted ?? (fused ? 'block' : 'float')
  const out = step.outputs[0] as number
  const bias = operand(step, 'bias')
  const vector = bias < 0 ? -1 : biasVector(draft, bias, n, floatsOf(step, 'beta')[0] ?? 1)
  const k = transB ? matrix.columns : matrix.rows
  const whole = activations === 'block' && matrix.size >= k && k > CHANNEL_BLOCK
  const attributes = {
    block_size: ints(matrix.size),
    trans_b: ints(transB ? 1 : 0),
    activations: texts(activations),
    ...(whole ? { activation_block: ints(CHANNEL_BLOCK) } : {}),
  }
  const built = steps.BlockMatMul(
    { a, b: matrix.tensor, scale, zero_point: matrix.zeroPoint, bias: vector },
    attributes,
  )
  const kind = activations === 'float' ? 'float' : built.kind
  const product = { ...built, kind, nodes: step.nodes } as const
  const first = before ? [before] : []
  if (bias < 0 || vector >= 0) return [...first, { ...product, outputs: [out] }]
  return [...first, ...withAdded(draft, product, step, bias)]
}

/** A bias for each column, times beta; -1: it is something else. */
function biasVector(draft: Draft, bias: number, n: number, beta: number): number {
  const { dims, name } = draft.tensors[bias] as PlanTensor
  if (dims.at(-1) !== n || !dims.slice(0, -1).every((d) => d === 1)) return -1
  if (beta === 1) return addAlias(draft, bias, [n])
  const values = floatConstant(draft, bias)
  if (!values) return -1
  const data = new Uint8Array(values.map((v) => v * beta).buffer)
  return addTensor(draft, { name, dtype: 'float32', dims: [n], kind: 'constant', data })
}

/** A bias that broadcasts otherwise, as steps of its own. */
function withAdded(
  draft: Draft,
  product: Omit<PlanStep, 'outputs'>,
  step: PlanStep,
  bias: number,
): readonly PlanStep[] {
  const out = draft.tensors[step.outputs[0] as number] as PlanTensor
  const scratch = (name: string, { dims }: PlanTensor) =>
    addTensor(draft, { name, dtype: 'float32', dims, kind: 'scratch' })
  const made = scratch(`${out.name}_product`, out)
  const beta = floatsOf(step, 'beta')[0] ?? 1
  const binary = (fn: 'add' | 'mul', x: number, y: number, to: number): PlanStep => {
    const built: BuiltStep = steps.Binary({ a: x, b: y }, { fn: texts(fn) })
    return { ...built, outputs: [to], nodes: step.nodes }
  }
  const first = { ...product, outputs: [made] }
  if (beta === 1) return [first, binary('add', made, bias, step.outputs[0] as number)]
  const number = addTensor(draft, {
    ...{ name: 'beta', dtype: 'float32', dims: [], kind: 'constant' },
    data: new Uint8Array(Float32Array.of(beta).buffer),
  })
  const scaled = scratch(`${out.name}_bias`, draft.tensors[bias] as PlanTensor)
  return [first, binary('mul', bias, number, scaled), binary('add', made, scaled, step.outputs[0] as number)]
}
