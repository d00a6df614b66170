/** What the steps of a plan say about each node of the model: integer or float, which kernel, and why. */
import { nestedPlans } from '../plan/attributes.js'
import type { Plan, PlanStep, StepKind } from '../plan/plan.js'

/** How one node of a model is computed. */
export interface NodeExplanation {
  /** Name of the node in the model. */
  readonly node: string
  /** What the step does: see `StepKind`. */
  readonly kind: StepKind
  /** The step that computes the node, as `QConv` (docs/steps.md lists all). */
  readonly step: string
  /** Its kernel, '' where the step has only one implementation. */
  readonly kernel: string
  /** Why a float node is not integer. */
  readonly reason?: string
}

/** One entry per node and step, in the order of the steps, steps of nested plans included. */
export function explainPlan(plan: Plan, kernels: readonly string[] = []): NodeExplanation[] {
  return plan.steps.flatMap((step, i) => [
    ...step.nodes.map((node) => explainNode(node, step, kernels[i] ?? '')),
    ...nestedPlans(step).flatMap((nested) => explainPlan(nested)),
  ])
}

/** All steps of a plan and of the plans in it, in their order. */
export function stepsOf(plan: Plan): PlanStep[] {
  return plan.steps.flatMap((step) => [step, ...nestedPlans(step).flatMap(stepsOf)])
}

function explainNode(node: string, step: PlanStep, kernel: string): NodeExplanation {
  const { op, kind, reason } = step
  return reason === undefined ? { node, kind, step: op, kernel } : { node, kind, step: op, kernel, reason }
}
