/** GridSample: an image [N, C, spatial...] at the positions of a grid [N, out spatial..., axes]. */

import { intAttribute, stringAttribute } from '../../graph/graph.js'
import { ints, texts } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { floatInput, floatOutput } from '../core/float32.js'
import { formatShape } from '../core/helpers.js'
import type { InferContext, Inferred, LowerContext, OpDef } from '../core/opdef.js'

const MODES = ['nearest', 'linear', 'cubic']
const PADDINGS = ['zeros', 'border', 'reflection']

function infer(ctx: InferContext): Inferred[] {
  const [x, grid] = [ctx.required(0), ctx.required(1)]
  const axes = x.shape.length - 2
  if (axes < 1 || axes > 3) ctx.fail(`an image with 1 to 3 spatial axes, got ${formatShape(x.shape)}`)
  const last = grid.shape[grid.shape.length - 1]
  if (grid.shape.length !== x.shape.length || (typeof last === 'number' && last !== axes)) {
    ctx.fail(`a grid of rank ${axes + 2} with ${axes} coordinates, got ${formatShape(grid.shape)}`)
  }
  const mode = stringAttribute(ctx.node, 'mode', 'linear')
  if (!MODES.includes(mode)) ctx.fail(`mode of ${MODES.join(', ')}, got "${mode}"`)
  const padding = stringAttribute(ctx.node, 'padding_mode', 'zeros')
  if (!PADDINGS.includes(padding)) ctx.fail(`padding_mode of ${PADDINGS.join(', ')}, got "${padding}"`)
  return [{ dtype: x.dtype, shape: [...x.shape.slice(0, 2), ...grid.shape.slice(1, -1)] }]
}

function lower(ctx: LowerContext): void {
  const attributes = {
    fn: texts(stringAttribute(ctx.node, 'mode', 'linear')),
    padding: texts(stringAttribute(ctx.node, 'padding_mode', 'zeros')),
    align_corners: ints(intAttribute(ctx.node, 'align_corners', 0)),
  }
  const inputs = { x: floatInput(ctx, 0), grid: floatInput(ctx, 1) }
  floatOutput(ctx, 0, undefined, (y) => ctx.step(steps.GridSample(inputs, attributes), [y]))
}

export const ops: readonly OpDef[] = [
  { opType: 'GridSample', domain: '', inputs: [2, 2], outputs: [1, 1], infer, lower },
]
