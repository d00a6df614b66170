/** Steps that several float operators are made of. */
import { floats, ints, texts } from './helpers.js'
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
  ctx.step('Reduce', [x], [y], { fn: texts(fn), axes: ints(...axes) })
}

export type BinaryFunction = 'add' | 'sub' | 'mul' | 'div' | 'max' | 'min'

export function binaryStep(ctx: LowerContext, fn: BinaryFunction, a: number, b: number, y: number): void {
  ctx.step('Binary', [a, b], [y], { fn: texts(fn) })
}

/** y = fns[n](... fns[0](x)); `params`: the numbers they consume in turn. */
export function unaryStep(
  ctx: LowerContext,
  fns: readonly string[],
  x: number,
  y: number,
  params: readonly number[] = [],
): void {
  ctx.step('Unary', [x], [y], { fns: texts(...fns), params: floats(...params) })
}
