/** Every result comes with the recipe that repeats it byte for byte. */
import { expect, test } from 'vitest'
import { quantize } from '../../../lib/quantize/index.js'
import { parseRecipeFile } from '../../../lib/quantize/recipe/recipe.js'
import type { RecipeOptions } from '../../../lib/quantize/recipe/types.js'
import { fileOf, samplesOf, variedNet } from '../model.js'

const model = fileOf(variedNet())
const data = samplesOf(5)

const options: Readonly<Record<string, RecipeOptions>> = {
  default: {},
  'moving-average of uint8': {
    activations: { type: 'uint8', observer: 'moving-average', momentum: 0.3 },
  },
  'percentile, patterns': {
    activations: { observer: 'percentile', percentile: 99 },
    exclude: [/^Gemm/, 'Add:s'],
  },
  'uint8 weights per tensor, symmetric': {
    weights: { type: 'uint8', granularity: 'tensor', range: 'minmax' },
    activations: { symmetric: true, observer: 'mean-std', deviations: 3 },
    biasCorrection: false,
  },
  'levels and rules': {
    weights: { levels: '7-bit' },
    activations: { levels: '0..127' },
    rules: [
      { match: { opType: 'Conv' }, weights: { levels: { qmin: -8, qmax: 7 } } },
      { match: { pattern: /c2$/i }, weights: { range: 'minmax' }, activations: { observer: 'minmax' } },
      { match: { node: 'Gemm:y' }, exclude: true },
    ],
  },
}

test.each(Object.keys(options))('%s', async (name) => {
  const first = await quantize(model, { data, ...options[name] })
  const json = JSON.parse(JSON.stringify(first.recipe))
  const again = await quantize(model, { data, ...parseRecipeFile(json) })
  expect(Buffer.compare(first.model, again.model)).toBe(0)
  expect(again.recipe).toEqual(first.recipe)
})

test('other recipes give other files', async () => {
  const files = await Promise.all(
    Object.values(options).map(async (o) => (await quantize(model, { data, ...o })).model),
  )
  files.forEach((a, i) => {
    for (const b of files.slice(i + 1)) expect(Buffer.compare(a, b)).not.toBe(0)
  })
})
