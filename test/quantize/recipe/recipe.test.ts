import { describe, expect, it } from 'vitest'
import { excluder, parseRecipe } from '../../../lib/quantize/recipe/recipe.js'

describe('recipe', () => {
  it('has the defaults, and is plain JSON that gives itself again', () => {
    const recipe = parseRecipe({ exclude: ['a', /head/i] })
    expect(recipe).toEqual({
      weights: { type: 'int8', granularity: 'channel', range: 'mse' },
      activations: { type: 'int8', symmetric: false, observer: 'mse' },
      exclude: ['a', { pattern: 'head', flags: 'i' }],
      biasCorrection: true,
    })
    expect(parseRecipe(JSON.parse(JSON.stringify(recipe)))).toEqual(recipe)
  })

  it.each([
    [{ weights: { type: 'int4' } }, /Option 'weights.type'/],
    [{ weights: { typo: 1 } }, /Option 'weights.typo'/],
    [{ activations: { observer: 'magic' } }, /Option 'activations.observer'.*"magic"/],
    [{ activations: { percentile: 120 } }, /Option 'activations.percentile'/],
    [{ exclude: 'head' }, /Option 'exclude'/],
    [{ exclude: [{ pattern: '(' }] }, /expected a regular expression/],
    [{ biasCorrection: 'yes' }, /Option 'biasCorrection'/],
  ])('refuses %j', (options, message) => {
    expect(() => parseRecipe(options as never)).toThrow(message)
    expect(() => parseRecipe(options as never)).toThrow(TypeError)
  })

  it('excludes exact names and patterns', () => {
    const excluded = excluder(['conv1', { pattern: '^head/', flags: '' }])
    expect(['conv1', 'conv10', 'head/cls', 'a/head/'].map(excluded)).toEqual([true, false, true, false])
  })
})
