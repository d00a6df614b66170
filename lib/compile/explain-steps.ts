/** What the steps of a plan say about each node of the model: integer or float, which kernel, and why. */
import { nestedPlans } from '../plan/attributes.js'
import type { Plan, PlanStep, StepKind } from '../plan/plan.js'
import { weightForm } from './weight-form.js'

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
  /** Of weights that stay packed: how they are computed with, as `integer 4-bit, group 32`. */
  readonly form?: string
  /** Why a float node is not integer. */
  readonly reason?: string
}

/** One entry per node and step, in the order of the steps, steps of nested plans included. */
export function explainPlan(plan: Plan, kernels: readonly string[] = []): NodeExplanation[] {
  return plan.steps.flatMap((step, i) => [
    ...[...new Set(step.nodes)].map((node) =>
      explainNode(node, step, kernels[i] ?? '', countedForm(kernels[i]) ?? weightForm(plan, step)),
    ),
    ...nestedPlans(step).flatMap((nested) => explainPlan(nested)),
  ])
}

/** Whether the kernel of a step counts bits, of weights and activations. */
function countedForm(kernel = ''): string | undefined {
  return kernel.startsWith('bitgemm') ? 'integer 1-bit, activations of 1 bit' : undefined
}

/** All steps of a plan and of the plans in it, in their order. */
export function stepsOf(plan: Plan): PlanStep[] {
  return plan.steps.flatMap((step) => [step, ...nestedPlans(step).flatMap(stepsOf)])
}

function explainNode(
  node: string,
  step: PlanStep,
  kernel: string,
  form: string | undefined,
): NodeExplanation {
  const { op, kind, reason } = step
  return {
    ...{ node, kind, step: op, kernel },
    ...(form === undefined ? {} : { form }),
    ...(reason === undefined ? {} : { reason }),
  }
}
