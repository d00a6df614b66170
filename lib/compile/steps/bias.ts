/** MatMul -> Add of a constant vector along the columns becomes MatMul with bias. */

import type { PlanStep, PlanTensor } from '../../plan/plan.js'
import { addAlias, type Draft, DraftIndex, text } from '../draft.js'

export function fuseBias(draft: Draft): Draft {
  const index = new DraftIndex(draft)
  const gone = new Set<PlanStep>()
  const replaced = new Map<PlanStep, PlanStep>()
  for (const step of draft.steps) {
    if (step.op !== 'Binary' || text(step, 'fn') !== 'add') continue
    for (const [data, other] of [
      [0, 1],
      [1, 0],
    ] as const) {
      const made = step.inputs[data] as number
      const producer = index.producer(made)
      if (producer?.op !== 'MatMul' || (producer.inputs[2] ?? -1) >= 0 || gone.has(producer)) continue
      if (producer.attributes.fn !== undefined || index.soleReader(made) !== step) continue
      if ((draft.tensors[made] as PlanTensor).dtype !== 'float32') continue
      const bias = columnVector(draft, index, step.inputs[other] as number, made)
      if (bias === undefined) continue
      gone.add(producer)
      replaced.set(step, {
        ...producer,
        inputs: [producer.inputs[0] as number, producer.inputs[1] as number, bias],
        outputs: step.outputs,
        nodes: [...producer.nodes, ...step.nodes],
      })
      break
    }
  }
  return { ...draft, steps: draft.steps.filter((s) => !gone.has(s)).map((s) => replaced.get(s) ?? s) }
}

/** `t` as a vector with one element per column of `like`, when it is a constant (maybe a quantized one). */
function columnVector(draft: Draft, index: DraftIndex, t: number, like: number): number | undefined {
  const columns = (draft.tensors[like] as PlanTensor).dims.at(-1)
  const dims = (draft.tensors[t] as PlanTensor).dims
  if (typeof columns !== 'number' || dims.length === 0 || dims.at(-1) !== columns) return undefined
  if (!dims.slice(0, -1).every((d) => d === 1)) return undefined
  const root = index.root(t)
  const producer = index.producer(root)
  if (producer?.op === 'DequantizeLinear') {
    const source = draft.tensors[index.root(producer.inputs[0] as number)] as PlanTensor
    const rank1 = (draft.tensors[root] as PlanTensor).dims.length === 1
    return source.kind === 'constant' && source.dtype === 'int32' && rank1 ? root : undefined
  }
  if ((draft.tensors[root] as PlanTensor).kind !== 'constant') return undefined
  return addAlias(draft, t, [columns])
}
