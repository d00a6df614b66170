/** Quantized constants of models for tests: levels, scales and zero points without a pattern, and the numbers that they stand for. */
import { FORMATS, type QuantizedDType } from '../../lib/graph/format.js'
import { packBits } from '../../lib/graph/tensor.js'
import { floatTensor } from './model.js'
import { Random } from './random.js'

const ONNX = { int8: 3, uint8: 2, int4: 22, uint4: 21, int2: 26, uint2: 25 } as const
export type LevelType = keyof typeof ONNX

export interface Granularity {
  /** Along which blocks lie, or scales are; absent: one scale. */
  readonly axis?: number
  /** Absent: a scale for each index of the axis. */
  readonly size?: number
}

const count = (dims: readonly number[]) => dims.reduce((n, d) => n * d, 1)

/** A tensor of integers, packed. */
export function levelTensor(
  name: string,
  type: LevelType,
  dims: readonly number[],
  values: ArrayLike<number>,
) {
  const format = FORMATS[type as QuantizedDType]
  const rawData =
    format.bits === 8 ? Uint8Array.from(values, (v) => v & 255) : Uint8Array.from(packBits(values, format))
  return { name, dataType: ONNX[type], dims: dims.map(BigInt), rawData }
}

/** Constants `${name}`, `${name}_s` and, with zero points, `${name}_z`; and what they stand for. */
export function quantizedTensor(
  name: string,
  type: LevelType,
  dims: readonly number[],
  { axis, size }: Granularity,
  zeros = !type.startsWith('int'),
) {
  const random = new Random(count(dims) + (size ?? 0))
  const { qmin, qmax } = FORMATS[type as QuantizedDType]
  const level = () => Math.min(qmax, Math.floor(random.uniform(qmin, qmax + 1)))
  const length = axis === undefined ? 0 : (dims[axis] as number)
  const grid =
    axis === undefined
      ? []
      : size === undefined
        ? [length]
        : dims.map((d, i) => (i === axis ? Math.ceil(d / size) : d))
  // Negative scales and 0 too: quantizers write them.
  const scales = Array.from({ length: count(grid) }, (_, i) =>
    i % 11 === 7 ? 0 : Math.fround(random.uniform(-0.1, 0.1)),
  )
  const zero = scales.map(level)
  const levels = Array.from({ length: count(dims) }, level)
  const inner = axis === undefined ? 1 : count(dims.slice(axis + 1))
  const at = (i: number) => {
    if (axis === undefined) return 0
    const along = Math.floor(i / inner) % length
    if (size === undefined) return along
    return (
      (Math.floor(i / (inner * length)) * Math.ceil(length / size) + Math.floor(along / size)) * inner +
      (i % inner)
    )
  }
  const values = levels.map((q, i) => (q - (zeros ? (zero[at(i)] as number) : 0)) * (scales[at(i)] as number))
  const stored = levelTensor(name, type, dims, levels)
  return {
    /** The levels as the file packs them. */
    bytes: stored.rawData,
    initializer: [
      stored,
      floatTensor(`${name}_s`, grid, scales),
      ...(zeros ? [levelTensor(`${name}_z`, type, grid, zero)] : []),
    ],
    inputs: [name, `${name}_s`, ...(zeros ? [`${name}_z`] : [])],
    values,
  }
}
