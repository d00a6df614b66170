/** Verifies what each step pass makes; loaded under OCTAVO_VERIFY=1 alone. */
import { verifyPass } from '../../graph/verify-pass.js'
import type { Draft } from '../../plan/draft.js'
import { printPlan } from '../../plan/print.js'
import { verifyPlan } from '../../plan/verify.js'
import type { StepPassEntry, StepPassOptions } from './index.js'

const verification = { verify: verifyPlan, print: printPlan }

/** Runs a pass; throws (ERR_INTERNAL) where it makes a draft that the table of steps does not allow. */
export function runChecked({ name, pass }: StepPassEntry, draft: Draft, options: StepPassOptions): Draft {
  // Passes change the list of tensors in place: what it was before is kept for the error.
  const before = { ...draft, tensors: [...draft.tensors] }
  const after = pass(draft, options)
  verifyPass(name, before, { ...after }, verification)
  return after
}

/** Whether the table allows what lowering made. What it does not allow (a type that no kernel has) the engine refuses. */
export function isAllowed(draft: Draft): boolean {
  try {
    verifyPlan(draft)
    return true
  } catch {
    return false
  }
}
