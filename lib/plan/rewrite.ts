/** The frame of a step pass: looks at the steps in their order, and writes others in the place of some. */
import { type Draft, DraftIndex } from './draft.js'
import type { PlanStep } from './plan.js'

/** What a matcher may ask of the draft that it rewrites, and change besides the step that it looks at. */
export interface Rewriting {
  readonly draft: Draft
  /** Of the draft as it was before the pass. */
  readonly index: DraftIndex
  /** The step that stands for `step` by now. */
  current(step: PlanStep): PlanStep
  isGone(step: PlanStep): boolean
  remove(step: PlanStep): void
  /** What stands in the place of another step. */
  replace(step: PlanStep, by: readonly PlanStep[]): void
}

/** What stands in the place of `step`: [] for nothing; undefined: it stays. */
export type Matcher = (step: PlanStep, rewriting: Rewriting) => PlanStep | readonly PlanStep[] | undefined

/** Offers every step to `match`, in order. The same draft where nothing changed. */
export function rewriteSteps(draft: Draft, match: Matcher): Draft {
  const rewriter = new Rewriter(draft)
  for (const step of draft.steps) {
    const by = match(step, rewriter)
    if (by !== undefined && by !== step) rewriter.replace(step, Array.isArray(by) ? by : [by as PlanStep])
  }
  return rewriter.result()
}

class Rewriter implements Rewriting {
  private readonly replaced = new Map<PlanStep, readonly PlanStep[]>()
  private made: DraftIndex | undefined

  constructor(readonly draft: Draft) {}

  /** Made when it is asked for: some matchers need none. */
  get index(): DraftIndex {
    this.made ??= new DraftIndex(this.draft)
    return this.made
  }

  current(step: PlanStep): PlanStep {
    return this.replaced.get(step)?.[0] ?? step
  }

  isGone(step: PlanStep): boolean {
    return this.replaced.get(step)?.length === 0
  }

  remove(step: PlanStep): void {
    this.replaced.set(step, [])
  }

  replace(step: PlanStep, by: readonly PlanStep[]): void {
    this.replaced.set(step, by)
  }

  result(): Draft {
    const { draft, replaced } = this
    if (replaced.size === 0) return draft
    const steps: PlanStep[] = []
    for (const step of draft.steps) {
      const by = replaced.get(step)
      if (by === undefined) steps.push(step)
      else steps.push(...by)
    }
    return { ...draft, steps }
  }
}
