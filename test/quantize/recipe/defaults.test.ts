/** The numbers of observers: the table has the defaults that the observers themselves have. */
import { expect, test } from 'vitest'
import { FORMATS } from '../../../lib/graph/format.js'
import { activationFields } from '../../../lib/quantize/recipe/fields.js'
import { parseRecipe } from '../../../lib/quantize/recipe/recipe.js'
import { observers } from '../../../lib/statistics/observers/index.js'
import { statisticsOf } from '../../helpers/statistics.js'

const seen = statisticsOf(Array.from({ length: 50_000 }, (_, i) => Math.tan(i / 20_000) - 1))
const target = { format: FORMATS.int8, symmetric: false }

test.each(['percentile', 'deviations', 'momentum'] as const)('%s', (key) => {
  const { when, default: value } = activationFields[key]
  const [, observer] = when
  const { needs, range } = observers[observer]
  const answers = (options: object) => [needs(options), range(seen, target, options)]
  expect(answers({ [key]: value })).toEqual(answers({}))
  expect(answers({ [key]: value * 0.75 })).not.toEqual(answers({}))
})

test('a complete recipe has those of its observer, and no others', () => {
  const numbersOf = (observer: 'percentile' | 'mse', options = {}) => {
    const { activations } = parseRecipe({ activations: { observer, ...options } })
    const { percentile, deviations, momentum } = activations
    return { percentile, deviations, momentum }
  }
  expect(numbersOf('percentile')).toEqual({ percentile: 99.99 })
  expect(numbersOf('percentile', { percentile: 99 })).toEqual({ percentile: 99 })
  expect(numbersOf('mse')).toEqual({})
  expect(numbersOf('mse', { momentum: 1 })).toEqual({ momentum: 1 })
})
