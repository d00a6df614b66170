/**
 * One step over a large constant: arithmetic of the quantizer that is native, off the main thread and on all threads. The
 * constant belongs to the plan, so its bytes are read where they are; the other operands are fed.
 */
import type { DType } from '../../graph/dtype.js'
import type { ConstantTensor } from '../../graph/graph.js'
import type { BuiltStep } from '../../plan/build.js'
import { encodePlan } from '../../plan/encode.js'
import type { Plan, PlanTensor } from '../../plan/plan.js'
import { loadModel } from './engine.js'

export interface StepOverConstant {
  readonly constant: ConstantTensor
  /** Further operands of the step, in order; at least one. */
  readonly operands: readonly ConstantTensor[]
  readonly outputs: readonly { readonly dtype: DType; readonly dims: readonly number[] }[]
  /** The step on tensors of these numbers. */
  readonly step: (constant: number, operands: readonly number[]) => BuiltStep
  readonly signal?: AbortSignal
}

/** The bytes of the outputs, dense. */
export async function runStep({
  constant,
  operands,
  outputs,
  step,
  signal,
}: StepOverConstant): Promise<readonly ArrayBuffer[]> {
  const { dtype, dims, data, file } = constant
  const fed = operands.map((o, i) => ({ name: `operand${i}`, dtype: o.dtype, dims: o.dims }))
  const made = outputs.map((o, i) => ({ name: `output${i}`, ...o }))
  const tensors: PlanTensor[] = [
    { name: 'constant', dtype, dims, kind: 'constant', ...(file ? { file } : { data }) },
    ...fed.map((t) => ({ ...t, kind: 'input' as const })),
    ...made.map((t) => ({ ...t, kind: 'output' as const })),
  ]
  const inputs = fed.map((_, i) => 1 + i)
  const results = made.map((_, i) => 1 + inputs.length + i)
  const steps = [{ ...step(0, inputs), outputs: results, nodes: [] }]
  const plan: Plan = { symbols: [], tensors, inputs, outputs: results, steps }
  const engine = await loadModel(
    {
      ...encodePlan(plan),
      inputs: fed.map(({ name, dtype: type, dims: shape }) => ({ name, dtype: type, shape })),
      outputs: made.map(({ name, dtype: type, dims: shape }) => ({ name, dtype: type, shape })),
      plan: { ...plan, tensors: tensors.map(({ data: _, ...rest }) => rest) },
    },
    { signal },
  )
  try {
    const feeds = Object.fromEntries(operands.map((o, i) => [`operand${i}`, o]))
    const got = await engine.run(feeds, undefined, { signal })
    return made.map(({ name }) => got[name]?.data ?? new ArrayBuffer(0))
  } finally {
    engine.release()
  }
}
