/** The float steps work in float32: other types are converted on the way in and out. */
import { steps } from '../../plan/build.js'
import { inLayout } from './helpers.js'
import type { Layout, LowerContext } from './opdef.js'

/** Input i as float32; -1 if absent. */
export function floatInput(ctx: LowerContext, i: number, layout?: Layout): number {
  if (!ctx.has(i)) return -1
  const { dtype, shape } = ctx.inputType(i)
  const tensor = ctx.input(i, layout)
  if (dtype === 'float32') return tensor
  const dims = layout === undefined ? shape : inLayout(shape, layout)
  const converted = ctx.scratch('float32', dims, 'float32')
  ctx.step(steps.Cast({ x: tensor }), [converted])
  return converted
}

/** Has `write` fill output i as a float32 tensor, which is converted to the type of the output where that differs. */
export function floatOutput(
  ctx: LowerContext,
  i: number,
  layout: Layout | undefined,
  write: (tensor: number) => void,
): void {
  if (!ctx.hasOutput(i)) {
    write(-1)
    return
  }
  const { dtype, shape } = ctx.outputType(i)
  if (dtype === 'float32') {
    write(ctx.output(i, layout))
    return
  }
  const dims = layout === undefined ? shape : inLayout(shape, layout)
  const computed = ctx.scratch('float32', dims, 'float32')
  write(computed)
  ctx.step(steps.Cast({ x: computed }), [ctx.output(i, layout)])
}

/** A constant float32 scalar. */
export function scalar(ctx: LowerContext, value: number): number {
  return ctx.constantTensor('float32', [], new Uint8Array(new Float32Array([value]).buffer))
}

/** Makes a float32 tensor in the model's layout output i, if anybody wants that. */
export function storeFloat(ctx: LowerContext, i: number, tensor: number): void {
  if (!ctx.hasOutput(i)) return
  if (ctx.outputType(i).dtype === 'float32') ctx.outputAlias(i, tensor)
  else ctx.step(steps.Cast({ x: tensor }), [ctx.output(i)])
}
