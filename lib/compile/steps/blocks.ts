/** Constant matrices with scales, however a DequantizeLinear states them, as a scale for each block of a row or column. */
import { formatOf } from '../../graph/format.js'
import { intOf, intsOf } from '../../plan/attributes.js'
import { addAlias, addTensor, type Draft, type DraftIndex, isConstant } from '../../plan/draft.js'
import { operand, quantizedOperand } from '../../plan/operands.js'
import type { PlanStep, PlanTensor } from '../../plan/plan.js'
import { floatConstant } from './params.js'

/** Levels [rows, columns] that stay as the file has them. */
export interface BlockMatrix {
  readonly tensor: number
  readonly bits: number
  readonly rows: number
  readonly columns: number
  /** The axis that blocks are along: 0, scales are [blocks, columns]; 1, they are [rows, blocks]. */
  readonly axis: 0 | 1
  readonly size: number
  readonly scale: number
  /** As the scale, or a single one; -1: 0. */
  readonly zeroPoint: number
}

/** Where the scales of a tensor lie: element i has scale floor(i / inner) of a run of `run` elements in blocks of `size`. */
interface Runs {
  readonly inner: number
  readonly length: number
  readonly size: number
}

/** The matrix that the DequantizeLinear makes floats of, with other sizes; or why it cannot be read in blocks. */
export function blockMatrix(
  draft: Draft,
  dequantize: PlanStep,
  rows: number,
  columns: number,
): BlockMatrix | string {
  const { tensor, scale, zeroPoint = -1 } = quantizedOperand(dequantize, 'x')
  const { dtype, dims } = draft.tensors[tensor] as PlanTensor
  const bits = formatOf(dtype)?.bits ?? 32
  if (bits !== 8 && bits !== 4 && bits !== 2) return `its weights have ${bits} bits`
  if (!isConstant(draft, scale)) return 'its scales are computed while running'
  if (zeroPoint >= 0 && !isConstant(draft, zeroPoint)) return 'its zero points are computed while running'
  const sizes = dims as readonly number[]
  const scales = lengthOf(draft, scale)
  const blocked = intOf(dequantize, 'block_size', 0)
  if (blocked === 0 && scales === 1) return ofTensor(draft, { tensor, bits, rows, columns, scale, zeroPoint })
  const at = intOf(dequantize, 'axis', 1)
  const inner = sizes.slice(at + 1).reduce((p, d) => p * d, 1)
  const length = sizes[at] as number
  // One scale for each index of an axis is one for each block of what lies within that index.
  const along =
    blocked > 0
      ? placeOf({ inner, length, size: Math.min(blocked, length) }, rows, columns)
      : channel(inner, length, rows, columns)
  if (along === undefined) return 'its scales are along neither rows nor columns'
  const { axis, size } = along
  const blocks = Math.ceil((axis === 0 ? rows : columns) / size)
  const grid = axis === 0 ? [blocks, columns] : [rows, blocks]
  const shaped = (t: number) => (t < 0 || lengthOf(draft, t) === 1 ? t : addAlias(draft, t, grid))
  return {
    ...{ tensor: addAlias(draft, tensor, [rows, columns]), bits, rows, columns, axis, size },
    ...{ scale: addAlias(draft, scale, grid), zeroPoint: shaped(zeroPoint) },
  }
}

/** Blocks along an axis with `inner` elements within each index. */
function placeOf({ inner, length, size }: Runs, rows: number, columns: number) {
  const whole = length % size === 0
  if (
    inner === 1 &&
    (length === columns ||
      (whole && (columns % length === 0 || (length % columns === 0 && columns % size === 0))))
  )
    return { axis: 1, size } as const
  if (inner === columns && (length === rows || (whole && rows % length === 0)))
    return { axis: 0, size } as const
  return undefined
}

/** A scale for each of `length` indices that repeat, of `inner` elements. */
function channel(inner: number, length: number, rows: number, columns: number) {
  if (inner === 1 && length === columns) return { axis: 0, size: rows } as const
  if (inner > 0 && columns % inner === 0 && length * inner === rows * columns)
    return { axis: 1, size: inner } as const
  return undefined
}

/** One scale for all is one for each row. */
function ofTensor(
  draft: Draft,
  matrix: Pick<BlockMatrix, 'tensor' | 'bits' | 'rows' | 'columns' | 'scale' | 'zeroPoint'>,
): BlockMatrix | string {
  const { rows, columns } = matrix
  const value = floatConstant(draft, matrix.scale)?.[0]
  if (value === undefined) return 'its scale is not a float32'
  const data = new Uint8Array(new Float32Array(rows).fill(value).buffer)
  const { name } = draft.tensors[matrix.scale] as PlanTensor
  const scale = addTensor(draft, { name, dtype: 'float32', dims: [rows, 1], kind: 'constant', data })
  return { ...matrix, tensor: addAlias(draft, matrix.tensor, [rows, columns]), axis: 1, size: columns, scale }
}

function lengthOf(draft: Draft, t: number): number {
  return (draft.tensors[t] as PlanTensor).dims.reduce<number>((n, d) => n * (d as number), 1)
}

/** A float matrix as a DequantizeLinear of constants makes it, and whether a Transpose turns it first. */
export interface DequantizedMatrix {
  readonly dequantize: PlanStep
  readonly transposed: boolean
  /** Sizes of what the DequantizeLinear makes, as a matrix. */
  readonly rows: number
  readonly columns: number
  /** Nothing but the step that asks reads it. */
  readonly own: boolean
}

/** What t is, through aliases and a Transpose; undefined where it is no constant matrix. */
export function dequantizedMatrix(draft: Draft, index: DraftIndex, t: number): DequantizedMatrix | undefined {
  const sizes = matrixSizes(index, t)
  const root = index.root(t)
  const producer = index.producer(root)
  if (!sizes || !producer) return undefined
  const [rows, columns] = sizes
  const own = !index.isPinned(root) && index.readers(root).length === 1
  if (producer.op === 'DequantizeLinear') {
    const constant = isConstant(draft, operand(producer, 'x'))
    return constant ? { dequantize: producer, transposed: false, rows, columns, own } : undefined
  }
  const turned = matrixSizes(index, root)
  const perm = producer.op === 'Transpose' ? intsOf(producer, 'perm') : []
  if (perm.length !== 2 || perm[0] !== 1 || turned?.[0] !== rows || turned[1] !== columns) return undefined
  const source = dequantizedMatrix(draft, index, operand(producer, 'x'))
  if (!source) return undefined
  return { ...source, transposed: !source.transposed, own: own && source.own }
}

function matrixSizes(index: DraftIndex, t: number): readonly [number, number] | undefined {
  const { dims } = index.tensor(t)
  const [rows, columns] = dims.slice(-2)
  if (dims.length < 2 || typeof rows !== 'number' || typeof columns !== 'number') return undefined
  return dims.slice(0, -2).every((d) => d === 1) ? [rows, columns] : undefined
}

/** Scales times a number, as float32. */
export function scaledBy(draft: Draft, scale: number, factor: number): number {
  if (factor === 1) return scale
  const values = floatConstant(draft, scale)
  if (!values) return -1
  const data = new Uint8Array(values.map((v) => v * factor).buffer)
  return addTensor(draft, {
    ...(draft.tensors[scale] as PlanTensor),
    kind: 'constant',
    of: undefined,
    file: undefined,
    data,
  })
}
