/** Quantization parameters of plan tensors: how steps state them, when two are the same. */
import type { DType } from '../../graph/dtype.js'
import type { PlanTensor } from '../../plan/plan.js'
import { addTensor, constantBytes, type Draft } from '../draft.js'

/** Scale and zero point of a tensor, as tensors of the plan; zeroPoint -1 is absent, which means 0. */
export interface Params {
  readonly scale: number
  readonly zeroPoint: number
}

/** A quantized tensor that stands for a float one. */
export interface QuantizedView extends Params {
  readonly tensor: number
}

export const RANGE: Readonly<Record<'uint8' | 'int8', readonly [number, number]>> = {
  uint8: [0, 255],
  int8: [-128, 127],
}

export function isPerTensor(draft: Draft, scale: number): boolean {
  const tensor = draft.tensors[scale] as PlanTensor
  return tensor.dims.every((d) => d === 1)
}

/** True when both have the same scale and the same zero point, whatever tensors state them. */
export function sameParams(draft: Draft, a: Params, b: Params): boolean {
  return sameConstant(draft, a.scale, b.scale) && sameZeroPoint(draft, a.zeroPoint, b.zeroPoint)
}

/** Value of a constant zero point (absent: 0); undefined when it is not a constant scalar. */
export function zeroPointValue(draft: Draft, t: number): number | undefined {
  if (t < 0) return 0
  const bytes = constantBytes(draft, t)
  if (bytes?.length !== 1) return undefined
  return draft.tensors[t]?.dtype === 'int8' ? ((bytes[0] as number) << 24) >> 24 : bytes[0]
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

export function scalarConstant(draft: Draft, t: number): number | undefined {
  const values = t < 0 ? undefined : floatConstant(draft, t)
  return values?.length === 1 ? values[0] : undefined
}

export function addZeroPoint(draft: Draft, dtype: 'uint8' | 'int8', value: number): number {
  const data = Uint8Array.of(value & 255)
  return addTensor(draft, { name: '', dtype, dims: [], kind: 'constant', data })
}

/** Nearest integer, ties to even: rint of the C library. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x)
  const fraction = x - floor
  if (fraction !== 0.5) return Math.round(x)
  return floor % 2 === 0 ? floor : floor + 1
}

/** QuantizeLinear of one number, in the arithmetic of docs/steps.md. */
export function quantizeScalar(x: number, scale: number, zeroPoint: number, dtype: 'uint8' | 'int8'): number {
  const [low, high] = RANGE[dtype]
  const q = roundHalfEven(Math.fround(Math.fround(x) / scale)) + zeroPoint
  return Math.min(high, Math.max(low, q))
}

export function isActivationType(dtype: DType | undefined): dtype is 'uint8' | 'int8' {
  return dtype === 'uint8' || dtype === 'int8'
}

function sameZeroPoint(draft: Draft, a: number, b: number): boolean {
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
