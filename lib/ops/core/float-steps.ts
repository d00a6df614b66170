/** Steps that several float operators are made of. */

import { floats, ints, texts } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'

import type { LowerContext } from './opdef.js'

export type ReduceFunction = 'sum' | 'mean' | 'max' | 'min' | 'l1' | 'l2' | 'sumsquare'

/** `axes` are axes of the tensor x. */
export function reduceStep(
  ctx: LowerContext,
  fn: ReduceFunction,
  x: number,
  y: number,
  axes: readonly number[],
): void {
  ctx.step(steps.Reduce({ x }, { fn: texts(fn), axes: ints(...axes) }), [y])
}

export type BinaryFunction = 'add' | 'sub' | 'mul' | 'div' | 'max' | 'min'

export function binaryStep(ctx: LowerContext, fn: BinaryFunction, a: number, b: number, y: number): void {
  ctx.step(steps.Binary({ a, b }, { fn: texts(fn) }), [y])
}

/** y = fns[n](... fns[0](x)); `params`: the numbers they consume in turn. */
export function unaryStep(
  ctx: LowerContext,
  fns: readonly string[],
  x: number,
  y: number,
  params: readonly number[] = [],
): void {
  ctx.step(steps.Unary({ x }, { fns: texts(...fns), params: floats(...params) }), [y])
}
