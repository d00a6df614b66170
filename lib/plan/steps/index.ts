/** The table of all steps, by their names: those of `native/ops/ops.inc`. */
import { attentionSteps } from './attention.js'
import { controlSteps } from './control.js'
import { floatSteps, normSteps } from './float.js'
import { imageSteps } from './images.js'
import { integerSteps } from './integer.js'
import { makerSteps, moverSteps } from './movers.js'
import { observerSteps } from './observers.js'
import { productSteps } from './products.js'
import { quantizerSteps } from './quantizer.js'
import type { StepSpec, StepTable } from './spec.js'

export const STEPS = {
  ...productSteps,
  ...integerSteps,
  ...floatSteps,
  ...normSteps,
  ...attentionSteps,
  ...imageSteps,
  ...moverSteps,
  ...makerSteps,
  ...controlSteps,
  ...observerSteps,
  ...quantizerSteps,
} as const satisfies StepTable

export type StepName = keyof typeof STEPS

/** What the table says of a step; undefined: there is no such step. */
export function findStep(op: string): StepSpec | undefined {
  return Object.hasOwn(STEPS, op) ? (STEPS as StepTable)[op] : undefined
}
