import { expect, it } from 'vitest'
import { parseRecipe } from '../../../lib/quantize/recipe/recipe.js'
import { settingsOf } from '../../../lib/quantize/recipe/settings.js'
import type { RecipeOptions } from '../../../lib/quantize/recipe/types.js'
import { node } from '../graphs.js'

const conv = { ...node('c = Conv(x, w)'), name: 'stem/conv', origin: ['stem/conv_bn', 'stem/scale'] }
const gemm = { ...node('g = Gemm(x, w)'), name: 'head/cls' }

const settings = (options: RecipeOptions) => settingsOf(parseRecipe(options))

it('excludes exact names and patterns, and what a fused node stands for', () => {
  const excluded = (exclude: RecipeOptions['exclude']) =>
    [conv, gemm].map((n) => settings({ exclude })(n).exclude)
  expect(excluded(['stem/conv'])).toEqual([true, false])
  expect(excluded(['stem'])).toEqual([false, false])
  expect(excluded([/^stem\//])).toEqual([true, false])
  expect(excluded(['stem/scale'])).toEqual([true, false])
  expect(excluded([/CLS$/i])).toEqual([false, true])
  expect(excluded([/cls/g, /cls/y])).toEqual([false, true])
})

it('a rule is for the nodes that fulfil all of it', () => {
  const matched = (match: object) =>
    [conv, gemm].map((n) => settings({ rules: [{ match, exclude: true }] })(n).exclude)
  expect(matched({ opType: 'Conv' })).toEqual([true, false])
  expect(matched({ node: 'stem/scale' })).toEqual([true, false])
  expect(matched({ pattern: '/c' })).toEqual([true, true])
  expect(matched({ pattern: '/c', opType: 'Gemm' })).toEqual([false, true])
  expect(matched({ node: 'head/cls', opType: 'Conv' })).toEqual([false, false])
})

it('the later rule wins, setting by setting; what it does not say stays', () => {
  const of = settings({
    weights: { range: 'minmax' },
    exclude: [/head/],
    rules: [
      { match: { pattern: '.' }, weights: { levels: '7-bit', granularity: 'tensor' } },
      { match: { opType: 'Conv' }, weights: { granularity: 'channel' }, activations: { type: 'uint8' } },
      { match: { opType: 'Gemm' }, exclude: false },
    ],
  })
  expect(of(conv).weights).toEqual({
    type: 'int8',
    range: 'minmax',
    levels: '7-bit',
    granularity: 'channel',
    symmetric: true,
  })
  expect(of(conv).activations.type).toBe('uint8')
  expect(of(gemm).weights.granularity).toBe('tensor')
  expect([of(gemm).exclude, of(gemm).activations.type]).toEqual([false, 'int8'])
})
