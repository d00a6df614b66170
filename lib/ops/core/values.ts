/** Elements of integer tensors as sizes, and arithmetic on them with ONNX's meaning. */
import type { DType } from '../../graph/dtype.js'
import { add, type Dim, type Expr, floorDiv, max, min, mul, sub } from '../../graph/expr.js'
import { FORMATS, type Format } from '../../graph/format.js'
import type { ConstantTensor } from '../../graph/graph.js'
import { numbersOf } from '../../graph/tensor.js'

/** Tensors with more elements are data, not sizes. */
export const MAX_VALUES = 1024

type Range = readonly [low: number, high: number]

const levels = ({ qmin, qmax }: Format): Range => [qmin, qmax]

/** What the integers of a type are, as far as numbers of JavaScript are exact. */
const RANGES: Partial<Record<DType, Range>> = {
  bool: [0, 1],
  uint8: levels(FORMATS.uint8),
  int8: levels(FORMATS.int8),
  uint16: levels(FORMATS.uint16),
  int16: levels(FORMATS.int16),
  uint32: [0, 2 ** 32 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint64: [0, Number.MAX_SAFE_INTEGER - 1],
  int64: [1 - Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER - 1],
}

export function holdsSizes(dtype: DType): boolean {
  return RANGES[dtype] !== undefined
}

/** True when every number among the values is one that the type holds, so that nothing has wrapped. */
export function fitsType(dtype: DType, values: readonly Dim[]): boolean {
  const range = RANGES[dtype]
  if (range === undefined || values.length > MAX_VALUES) return false
  return values.every((v) => typeof v !== 'number' || (v >= range[0] && v <= range[1]))
}

/** Every pass asks again, and constants never change. */
const known = new WeakMap<ConstantTensor, readonly number[]>()

/** Elements of a small integer or bool constant; 64-bit ones beyond what a double holds are clamped to that. */
export function integersOf(tensor: ConstantTensor): readonly number[] | undefined {
  const integers = known.get(tensor)
  if (integers) return integers
  const count = tensor.dims.reduce((a, b) => a * b, 1)
  if (count > MAX_VALUES || !holdsSizes(tensor.dtype)) return undefined
  const values = Array.from(numbersOf(tensor), (value) => {
    if (tensor.dtype === 'bool') return value === 0 ? 0 : 1
    return Math.min(Math.max(value, -Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER)
  })
  known.set(tensor, values)
  return values
}

/** Name of the symbol for an element that is read while running. Only such symbols may be negative: all others are sizes. */
export function readSymbolName(value: string, index: number): string {
  return `${value}[${index}]`
}

/** Expressions share parts; each is looked at once. */
const nonNegative = new WeakMap<Expr, boolean>()

/** True when no choice of sizes makes d negative. */
export function isNonNegative(d: Dim): boolean {
  if (typeof d === 'number') return d >= 0
  let known = nonNegative.get(d)
  if (known === undefined) {
    known = decideNonNegative(d)
    nonNegative.set(d, known)
  }
  return known
}

function decideNonNegative(d: Expr): boolean {
  return (
    d.constant >= 0 &&
    d.terms.every(
      (t) =>
        t.coefficient >= 0 &&
        t.atoms.every((atom) => {
          switch (atom.kind) {
            case 'symbol':
              return !atom.name.includes('[')
            case 'let':
              return isNonNegative(atom.value)
            case 'max':
              return isNonNegative(atom.a) || isNonNegative(atom.b)
            case 'mod':
              return isNonNegative(atom.b)
            default:
              return isNonNegative(atom.a) && isNonNegative(atom.b)
          }
        }),
    )
  )
}

/** Sign of a - b where it is the same for all sizes. */
export function compareDims(a: Dim, b: Dim): -1 | 0 | 1 | undefined {
  const difference = sub(a, b)
  if (difference === 0) return 0
  if (isNonNegative(sub(difference, 1))) return 1
  if (isNonNegative(sub(mul(difference, -1), 1))) return -1
  return undefined
}

/** Division that truncates towards zero, as ONNX divides integers; undefined where the divisor may be negative or is 0. */
export function truncDiv(a: Dim, b: Dim): Dim | undefined {
  if (b === 0) return undefined
  if (typeof a === 'number' && typeof b === 'number') return Math.trunc(a / b) + 0
  if (!isNonNegative(b)) return undefined
  if (isNonNegative(a)) return floorDiv(a, b)
  return sub(floorDiv(larger(a, 0), b), floorDiv(larger(mul(a, -1), 0), b))
}

/** The smaller of two sizes, as one of them where that is certain. */
export function smaller(a: Dim, b: Dim): Dim {
  if (isNonNegative(sub(b, a))) return a
  return isNonNegative(sub(a, b)) ? b : min(a, b)
}

/** The larger of two sizes, as one of them where that is certain. */
export function larger(a: Dim, b: Dim): Dim {
  if (isNonNegative(sub(a, b))) return a
  return isNonNegative(sub(b, a)) ? b : max(a, b)
}

/**
 * Elements base + sum(position[a] * strides[a]) of row-major values, for every position of `shape`: what
 * Slice, Transpose and Gather of a small tensor are. Undefined where `shape` is too large.
 */
export function stridedValues(
  values: readonly Dim[],
  shape: readonly number[],
  strides: readonly number[],
  base = 0,
): Dim[] | undefined {
  if (shape.reduce((a, b) => a * b, 1) > MAX_VALUES) return undefined
  let offsets = [base]
  shape.forEach((size, axis) => {
    const stride = strides[axis] as number
    offsets = offsets.flatMap((at) => Array.from({ length: size }, (_, p) => at + p * stride))
  })
  return offsets.map((at) => values[at] as Dim)
}

/** Elements between neighbours along each axis of a dense tensor. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = shape.map(() => 1)
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    strides[axis] = (strides[axis + 1] as number) * (shape[axis + 1] as number)
  }
  return strides
}

/** 1 where d is negative, else 0. */
export function negativeFlag(d: Dim): Dim {
  if (typeof d === 'number') return d < 0 ? 1 : 0
  if (isNonNegative(d)) return 0
  // min(1, max(0, -d))
  return sub(1, max(0, sub(1, max(0, mul(d, -1)))))
}

/** d, counted from the end of `size` where it is negative. */
export function fromEnd(d: Dim, size: Dim): Dim {
  return add(d, mul(negativeFlag(d), size))
}
