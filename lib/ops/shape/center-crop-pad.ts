/** CenterCropPad: a Slice of what is too large, then a Pad of what is too small, both around the middle. */

import { add, type Dim, floorDiv, max, min, sub } from '../../graph/expr.js'
import { intsAttribute } from '../../graph/graph.js'
import { ints, texts } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { identityLayout, inLayout, layoutOfRank, normalizeAxis } from '../core/helpers.js'
import type { InferContext, Inferred, LowerContext, OpDef } from '../core/opdef.js'

/** Size wanted of every axis. */
function wantedShape(context: InferContext | LowerContext, shape: readonly Dim[]): Dim[] {
  const sizes = context.valuesOrRead(1)
  const axes = intsAttribute(context.node, 'axes')?.map((a) => normalizeAxis(context, a, shape.length))
  const order = axes ?? identityLayout(shape.length)
  if (sizes.length !== order.length) context.fail(`${order.length} sizes, one per axis, got ${sizes.length}`)
  return shape.map((d, axis) => {
    const k = order.indexOf(axis)
    return k < 0 ? d : (sizes[k] as Dim)
  })
}

function infer(context: InferContext): Inferred[] {
  const { dtype, shape } = context.required(0)
  return [{ dtype, shape: wantedShape(context, shape) }]
}

function lower(context: LowerContext): void {
  const { dtype, shape } = context.inputType(0)
  const layout = layoutOfRank(context, shape.length)
  const wanted = context.outputType(0).shape
  const kept = shape.map((d, a) => min(d, wanted[a] as Dim))
  const starts = shape.map((d, a) => floorDiv(max(sub(d, wanted[a] as Dim), 0), 2))
  const before = kept.map((d, a) => floorDiv(sub(wanted[a] as Dim, d), 2))
  const after = kept.map((d, a) => sub(wanted[a] as Dim, add(d, before[a] as Dim)))
  const cropped = context.scratch(dtype, inLayout(kept, layout))
  const slice = { starts: ints(...inLayout(starts, layout)), steps: ints(...kept.map(() => 1)) }
  context.step(steps.Slice({ x: context.input(0, layout) }, slice), [cropped])
  const pad = { pads: ints(...inLayout(before, layout), ...inLayout(after, layout)), mode: texts('constant') }
  context.step(steps.Pad({ x: cropped }, pad), [context.output(0, layout)])
}

export const ops: readonly OpDef[] = [
  {
    opType: 'CenterCropPad',
    domain: '',
    inputs: [2, 2],
    outputs: [1, 1],
    infer,
    lower,
    quantize: { kind: 'shared' },
  },
]
