/** Indices of MaxPool in column-major order (storage_order 1), from the row-major ones of the engine. */

import { type Dim, product } from '../../graph/expr.js'
import { ints, texts } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'

import type { LowerContext } from '../core/opdef.js'

/**
 * Only the spatial part of an index changes its order: with sizes d0, d1, ... and coordinates i0, i1, ... it becomes
 * i0 + d0 * (i1 + d1 * ...). `dims`: sizes of both tensors.
 */
export function columnMajorIndices(
  ctx: LowerContext,
  rowMajor: number,
  columnMajor: number,
  dims: readonly Dim[],
  spatial: readonly Dim[],
): void {
  const value = (size: Dim): number => {
    const tensor = ctx.scratch('int64', [], 'size')
    ctx.step(steps.Values({}, { values: ints(size) }), [tensor])
    return tensor
  }
  const binary = (fn: string, a: number, b: number, into = ctx.scratch('int64', dims)): number => {
    ctx.step(steps.Binary({ a, b }, { fn: texts(fn) }), [into])
    return into
  }
  const plane = value(product(spatial))
  let rest = binary('mod', rowMajor, plane)
  let result = binary('sub', rowMajor, rest)
  for (let axis = spatial.length - 1; axis >= 0; --axis) {
    const size = value(spatial[axis] as Dim)
    const weight = value(product(spatial.slice(0, axis)))
    const coordinate = axis === 0 ? rest : binary('mod', rest, size)
    const part = binary('mul', coordinate, weight)
    result = binary('add', result, part, axis === 0 ? columnMajor : undefined)
    if (axis > 0) rest = binary('div', rest, size)
  }
}
