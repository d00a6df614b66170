/** Settings that do not go together are refused where they are written, not where a node meets them. */
import { typeError } from '../../errors.js'
import { activationFormat, isStatic, weightFormat } from './levels.js'
import { changedWeights } from './settings.js'
import type { ActivationSettings, Recipe, WeightSettings } from './types.js'

/** Throws a TypeError that names the option, what was expected and what came. */
export function checkCombinations({ weights, activations, rules }: Recipe): void {
  checkSettings('', weights, activations)
  for (const [i, rule] of rules.entries()) {
    checkSettings(`rules.${i}.`, changedWeights(weights, rule.weights ?? {}), {
      ...activations,
      ...rule.activations,
    })
  }
}

function checkSettings(prefix: string, weights: WeightSettings, activations: ActivationSettings): void {
  levels(`${prefix}weights`, () => weightFormat(weights))
  if (weights.type === 'w1') checkSigns(`${prefix}weights`, weights)
  if (activations.type === 'dynamic' && activations.granularity === 'tensor' && activations.symmetric)
    refuse(`${prefix}activations.symmetric`, `false beside granularity 'tensor'`, 'true')
  if (!isStatic(activations)) return
  levels(`${prefix}activations`, () => activationFormat(activations))
  const other = `activations 'dynamic', 'block' or 'float'`
  if (weights.granularity === 'group') {
    refuse(`${prefix}weights.granularity`, `${other} beside groups`, `'${activations.type}'`)
  }
  if (!weights.symmetric)
    refuse(`${prefix}weights.symmetric`, `${other} beside false`, `'${activations.type}'`)
}

/** Signs have one number for all that share them: the mean magnitude, which is of least squared error. */
function checkSigns(path: string, { granularity, symmetric, range }: WeightSettings): void {
  if (granularity === 'group')
    refuse(`${path}.granularity`, `'channel' or 'tensor' beside type 'w1'`, `'${granularity}'`)
  if (!symmetric) refuse(`${path}.symmetric`, `true beside type 'w1'`, 'false')
  if (range !== 'mse') refuse(`${path}.range`, `'mse' beside type 'w1'`, `'${range}'`)
}

/** Levels that the types do not have. */
function levels(path: string, format: () => unknown): void {
  try {
    format()
  } catch (error) {
    throw typeError(`Option '${path}.levels': ${(error as Error).message}.`)
  }
}

function refuse(path: string, expected: string, received: string): never {
  throw typeError(`Option '${path}': expected ${expected}, received ${received}.`)
}
