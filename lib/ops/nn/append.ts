/** Keys or values written into a past that has room for more: made by `passes/past-to-states.ts`, in no file. */
import { ints } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { formatShape } from '../core/helpers.js'
import type { InferContext, Inferred, LowerContext, OpDef } from '../core/opdef.js'

/** past [batch, heads, positions, size], x [batch, heads, new, size], start int64 [1] -> past, with x from `start` on. */
function infer(context: InferContext): readonly Inferred[] {
  const [past, x] = [context.required(0), context.required(1)]
  if (past.shape.length !== 4 || x.shape.length !== 4 || past.dtype !== x.dtype) {
    context.fail(
      `a past and new positions of one type and rank 4, got ${past.dtype}${formatShape(past.shape)} and ${x.dtype}${formatShape(x.shape)}`,
    )
  }
  return [past]
}

function lower(context: LowerContext): void {
  const [, heads] = context.inputType(0).shape
  if (typeof heads !== 'number') context.fail('a past of a known number of heads')
  const operands = { past: context.input(0), x: context.input(1), starts: context.input(2) }
  context.step(steps.Append(operands, { heads: ints(heads as number) }), [context.output(0)])
}

export const ops: readonly OpDef[] = [
  { opType: 'Append', domain: 'octavo', inputs: [3, 3], outputs: [1, 1], infer, lower },
]
