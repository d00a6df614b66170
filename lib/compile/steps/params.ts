/** Quantization parameters of plan tensors: as numbers where they are constant, and when two are the same. */
import type { DType } from '../../graph/dtype.js'
import { decodeLevel, type Format, formatOf, type Quantized } from '../../graph/format.js'
import { addTensor, constantBytes, type Draft } from '../../plan/draft.js'
import type { Parameters, QuantizedOperand } from '../../plan/operands.js'
import type { PlanTensor } from '../../plan/plan.js'

type ActivationDType = Extract<DType, 'uint8' | 'int8' | 'uint16' | 'int16'>

export function isActivation(dtype: DType | undefined): dtype is ActivationDType {
  const bits = formatOf(dtype)?.bits
  return bits === 8 || bits === 16
}

/** A tensor of 8 or 16 bits with one scale; undefined for every other. */
export function activationView(
  draft: Draft,
  { tensor, scale, zeroPoint }: QuantizedOperand,
): Quantized<number> | undefined {
  const format = activationFormat(draft, tensor)
  if (format === undefined || !isPerTensor(draft, scale)) return undefined
  return { tensor, scale, zeroPoint, format, granularity: { kind: 'tensor' } }
}

/** The format of a tensor of 8 or 16 bits; undefined for other types. */
export function activationFormat(draft: Draft, t: number): Format | undefined {
  const dtype = draft.tensors[t]?.dtype
  return isActivation(dtype) ? formatOf(dtype) : undefined
}

export function isPerTensor(draft: Draft, scale: number): boolean {
  const tensor = draft.tensors[scale] as PlanTensor
  return tensor.dims.every((d) => d === 1)
}

/** True when both have the same scale and the same zero point, whatever tensors state them. */
export function sameParameters(draft: Draft, a: Parameters, b: Parameters): boolean {
  return sameConstant(draft, a.scale, b.scale) && sameZeroPoint(draft, a.zeroPoint, b.zeroPoint)
}

/** Scale and zero point as numbers; undefined where they are not constant, or more than one. */
export function constantParameters(
  draft: Draft,
  parameters: Parameters,
): { readonly scale: number; readonly zeroPoint: number } | undefined {
  const scale = scalarConstant(draft, parameters.scale)
  const zeroPoint = zeroPointValue(draft, parameters.zeroPoint)
  return scale === undefined || zeroPoint === undefined ? undefined : { scale, zeroPoint }
}

/** Value of a constant zero point (absent: 0); undefined when it is not a constant scalar. */
export function zeroPointValue(draft: Draft, t = -1): number | undefined {
  if (t < 0) return 0
  const bytes = constantBytes(draft, t)
  const format = activationFormat(draft, t)
  if (!bytes || !format || bytes.length !== format.bits / 8) return undefined
  return decodeLevel((bytes[0] as number) + 256 * (bytes[1] ?? 0), format)
}

/** Elements of a constant float32 tensor; not to be written to. */
export function floatConstant(draft: Draft, t: number): Float32Array | undefined {
  if (draft.tensors[t]?.dtype !== 'float32') return undefined
  const bytes = constantBytes(draft, t)
  if (!bytes) return undefined
  const { buffer, byteOffset, byteLength } = byteAligned(bytes, Float32Array.BYTES_PER_ELEMENT)
  return new Float32Array(buffer, byteOffset, byteLength / Float32Array.BYTES_PER_ELEMENT)
}

function byteAligned(bytes: Uint8Array, size: number): Uint8Array {
  return bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes)
}

const SMALLEST_NORMAL = 2 ** -126

/** Whether a step may take this as a scale: finite, positive, and not subnormal, because subnormals are flushed. */
export function isScale(value: number): boolean {
  return value >= SMALLEST_NORMAL && value < Infinity
}

export function scalarConstant(draft: Draft, t: number): number | undefined {
  const values = t < 0 ? undefined : floatConstant(draft, t)
  return values?.length === 1 ? values[0] : undefined
}

export function addZeroPoint(draft: Draft, dtype: ActivationDType, value: number): number {
  const data = formatOf(dtype)?.bits === 16 ? Uint8Array.of(value, value >> 8) : Uint8Array.of(value)
  return addTensor(draft, { name: '', dtype, dims: [], kind: 'constant', data })
}

function sameZeroPoint(draft: Draft, a = -1, b = -1): boolean {
  if (a === b) return true
  const x = zeroPointValue(draft, a)
  return x !== undefined && x === zeroPointValue(draft, b)
}

function sameConstant(draft: Draft, a: number, b: number): boolean {
  if (a === b) return true
  const x = constantBytes(draft, a)
  const y = constantBytes(draft, b)
  return x !== undefined && y !== undefined && x.length === y.length && x.every((v, i) => v === y[i])
}
