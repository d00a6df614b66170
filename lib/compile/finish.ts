/** Draft -> plan: step passes, then symbols resolved to the tensors they are read from. */

import type { Draft } from '../plan/draft.js'
import type { Plan, SymbolSource } from '../plan/plan.js'
import { runStepPasses, type StepPassOptions } from './steps/index.js'

export function finishPlan(
  draft: Draft,
  symbols: ReadonlyMap<string, SymbolSource>,
  options: StepPassOptions,
): Plan {
  const done = runStepPasses(draft, options)
  const resolve = (source: SymbolSource): SymbolSource =>
    source.kind === 'data' || source.kind === 'dim'
      ? { ...source, tensor: done.kept[source.tensor] as number }
      : source
  return {
    symbols: [...symbols].map(([name, source]) => ({ name, source: resolve(source) })),
    tensors: done.tensors,
    inputs: done.inputs,
    outputs: done.outputs,
    steps: done.steps,
  }
}
