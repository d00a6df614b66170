/**
 * The word for a quantized number: what its integers are (`Format`), how scales lie over a tensor (`Granularity`), and
 * the arithmetic between a real number and its integer. Everything that quantizes or reads quantized numbers uses it.
 */
import type { DType } from './dtype.js'

/** The integers of a quantized number. */
export interface Format {
  /** Bits of a level: 8 for int8. `qmin`, `qmax` may use fewer levels. */
  readonly bits: number
  readonly signed: boolean
  /** Least and largest level that is used, within the range of `storage`. */
  readonly qmin: number
  readonly qmax: number
  /** The element type that the file and the plan hold. */
  readonly storage: QuantizedDType
}

/** Element types that hold quantized numbers. */
export type QuantizedDType = Extract<
  DType,
  'int8' | 'uint8' | 'int16' | 'uint16' | 'int4' | 'uint4' | 'int2' | 'uint2' | 'uint1'
>

/** How scales (and zero points) lie over a tensor. */
export type Granularity =
  /** one for all elements */
  | { readonly kind: 'tensor' }
  /** one per index of `axis` */
  | { readonly kind: 'channel'; readonly axis: number }
  /** one per `size` consecutive elements along `axis`, and per index of every other axis */
  | { readonly kind: 'block'; readonly axis: number; readonly size: number }
  /** one per row: per index of all axes but the last; found while running */
  | { readonly kind: 'row' }

/**
 * A quantized tensor: `real = (q - zeroPoint) * scale`. `T` is how tensors are named: a number in a plan, a string in a
 * graph. An absent zero point means 0.
 */
export interface Quantized<T> {
  readonly tensor: T
  readonly scale: T
  readonly zeroPoint: T | undefined
  readonly format: Format
  readonly granularity: Granularity
}

function format(storage: QuantizedDType, bits: number, signed: boolean): Format {
  return signed
    ? { bits, signed, qmin: -(2 ** (bits - 1)), qmax: 2 ** (bits - 1) - 1, storage }
    : { bits, signed, qmin: 0, qmax: 2 ** bits - 1, storage }
}

/** The full range of every element type that holds quantized numbers. */
export const FORMATS: Readonly<Record<QuantizedDType, Format>> = {
  int16: format('int16', 16, true),
  uint16: format('uint16', 16, false),
  int8: format('int8', 8, true),
  uint8: format('uint8', 8, false),
  int4: format('int4', 4, true),
  uint4: format('uint4', 4, false),
  int2: format('int2', 2, true),
  uint2: format('uint2', 2, false),
  uint1: format('uint1', 1, false),
}

/** Levels -1 and 1 alone: int8 in a graph, a bit each in memory and in files that say so. */
export const SIGNS: Format = { bits: 1, signed: true, qmin: -1, qmax: 1, storage: 'int8' }

/** Whether levels are -1 and 1 alone. */
export function isSigns({ bits, storage }: Format): boolean {
  return bits === SIGNS.bits && storage === SIGNS.storage
}

/** The format of an element type, all its levels in use; undefined for types that hold no quantized numbers. */
export function formatOf(dtype: DType | undefined): Format | undefined {
  return dtype !== undefined && dtype in FORMATS ? FORMATS[dtype as QuantizedDType] : undefined
}

/** The same format with fewer levels. Throws a RangeError where they are none, or lie outside of the format. */
export function withBounds(format: Format, qmin: number, qmax: number): Format {
  const fits = Number.isInteger(qmin) && Number.isInteger(qmax) && qmin >= format.qmin && qmax <= format.qmax
  if (!fits || qmin >= qmax) {
    throw new RangeError(
      `expected levels qmin < qmax within [${format.qmin}, ${format.qmax}] of ${format.storage}, got [${qmin}, ${qmax}]`,
    )
  }
  return { ...format, qmin, qmax }
}

/** Number of levels. */
export function levelsOf({ qmin, qmax }: Format): number {
  return qmax - qmin + 1
}

/** The level in the middle: the zero point of symmetric quantization. */
export function middleOf({ bits, signed }: Format): number {
  return signed ? 0 : 2 ** (bits - 1)
}

/** Adding it to a number below 2^51 in magnitude and taking it away again leaves the nearest integer, ties to even. */
export const ROUNDER = 1.5 * 2 ** 52

/** Nearest integer, ties to even (rint of the C library), of a number below 2^51 in magnitude. */
export function roundHalfEven(x: number): number {
  return x + ROUNDER - ROUNDER
}

/** The nearest level of `x`, in the arithmetic of QuantizeLinear (docs/steps.md): float32 division, ties to even. */
export function quantizeNumber(x: number, scale: number, zeroPoint: number, { qmin, qmax }: Format): number {
  const level = Math.fround(Math.fround(x) / scale)
  // Levels are below 2^16: what is far outside, infinities included, is clamped before it is rounded.
  const bounded = Math.min(qmax - zeroPoint, Math.max(qmin - zeroPoint, level))
  return roundHalfEven(bounded) + zeroPoint
}

/** The real number of a level. */
export function dequantizeNumber(q: number, scale: number, zeroPoint: number): number {
  return Math.fround((q - zeroPoint) * scale)
}

/** The bits of a level as it is stored: two's complement in `bits` bits. */
export function encodeLevel(q: number, { bits }: Format): number {
  return q & (2 ** bits - 1)
}

/** The level that stored bits are. */
export function decodeLevel(stored: number, { bits, signed }: Format): number {
  const top = 2 ** (bits - 1)
  return signed && stored >= top ? stored - 2 * top : stored
}
