/** `Unary f -> Unary g  =>  Unary f, g` */
import { floats, floatsOf, texts, textsOf } from '../../plan/attributes.js'
import type { Draft } from '../../plan/draft.js'
import { operand, withOperand } from '../../plan/operands.js'
import type { PlanStep } from '../../plan/plan.js'
import { rewriteSteps } from '../../plan/rewrite.js'

/** Functions that one step applies: what a longer chain saves is little, and its lists would grow as its square. */
const MAX_FUNCTIONS = 64

export function mergeUnary(draft: Draft): Draft {
  return rewriteSteps(draft, (step, rewriting) => {
    const { index } = rewriting
    if (!isFloatUnary(draft, step)) return undefined
    const producer = index.producer(operand(step, 'x'))
    if (!producer || !isFloatUnary(draft, producer)) return undefined
    if (index.soleReader(producer.outputs[0] as number) !== step) return undefined
    const first = rewriting.current(producer)
    if (textsOf(first, 'fns').length + textsOf(step, 'fns').length > MAX_FUNCTIONS) return undefined
    rewriting.remove(producer)
    return {
      ...withOperand(step, 'x', operand(first, 'x')),
      nodes: [...first.nodes, ...step.nodes],
      attributes: {
        fns: texts(...textsOf(first, 'fns'), ...textsOf(step, 'fns')),
        params: floats(...floatsOf(first, 'params'), ...floatsOf(step, 'params')),
      },
    }
  })
}

function isFloatUnary(draft: Draft, step: PlanStep): boolean {
  const float = (t: number | undefined) => draft.tensors[t as number]?.dtype === 'float32'
  return step.op === 'Unary' && float(step.inputs[0]) && float(step.outputs[0])
}
