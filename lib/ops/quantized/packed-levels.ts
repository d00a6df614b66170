/** Levels of less than a byte that files of onnxruntime pack into bytes, and how the operators that read them speak of them. */
import { type DType, isFloat } from '../../graph/dtype.js'
import type { Dim } from '../../graph/expr.js'
import { intAttribute } from '../../graph/graph.js'
import { elementCount } from '../../graph/tensor.js'
import { floatInput } from '../core/float32.js'
import { formatShape, type NodeContext } from '../core/helpers.js'
import type { InferContext, LowerContext } from '../core/opdef.js'

/** Levels of so many bits, as bytes pack them: element i in the low bits of its byte first. */
const LEVELS: Readonly<Record<number, DType>> = { 2: 'uint2', 4: 'uint4', 8: 'uint8' }

/** The type of levels by the attribute `bits`. */
export function levelsOf(ctx: NodeContext): { readonly bits: number; readonly levels: DType } {
  const bits = intAttribute(ctx.node, 'bits', 4)
  return { bits, levels: LEVELS[bits] ?? ctx.fail(`bits of 2, 4 or 8, got ${bits}`) }
}

/** An attribute that counts something. */
export function countAttribute(ctx: NodeContext, name: string, least: number): number {
  const value = intAttribute(ctx.node, name, -1)
  return value >= least && value <= 2 ** 31
    ? value
    : ctx.fail(`attribute ${name} of ${least} or more, got ${value < 0 ? 'none' : value}`)
}

export function checkFloat(ctx: InferContext, i: number, what: string): void {
  const { dtype } = ctx.required(i)
  if (!isFloat(dtype)) ctx.fail(`${what} (input ${i}) of a floating-point type, got ${dtype}`)
}

/** Files have some of these tensors flat: only the number of elements is checked. */
export function checkCount(ctx: InferContext, i: number, expected: number, sizes: string): void {
  const shape: readonly Dim[] | undefined = ctx.input(i)?.shape
  if (!shape?.every((d): d is number => typeof d === 'number')) return
  if (elementCount(shape) === expected) return
  ctx.fail(
    `sizes ${sizes} of input ${i} ("${ctx.node.inputs[i]}"), by the attributes, got ${formatShape(shape)}`,
  )
}

/** Scales as steps of weights in blocks take them: float32 or float16. */
export function scaleInput(ctx: LowerContext, i: number): number {
  return ctx.inputType(i).dtype === 'float16' ? ctx.input(i) : floatInput(ctx, i)
}
