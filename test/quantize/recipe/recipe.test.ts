import { describe, expect, it } from 'vitest'
import { parseRecipe, parseRecipeFile } from '../../../lib/quantize/recipe/recipe.js'
import { settingsOf } from '../../../lib/quantize/recipe/settings.js'

describe('parseRecipe', () => {
  it('has the defaults, and is plain JSON that gives itself again', () => {
    const recipe = parseRecipe({ exclude: ['a', /head/i] })
    expect(recipe).toEqual({
      weights: { type: 'int8', granularity: 'channel', symmetric: true, range: 'mse', levels: 'narrow' },
      activations: { type: 'int8', symmetric: false, observer: 'mse', levels: 'full' },
      exclude: ['a', { pattern: 'head', flags: 'i' }],
      rules: [],
      file: 'dq',
      biasCorrection: true,
      check: 'repair',
    })
    expect(parseRecipe(JSON.parse(JSON.stringify(recipe)))).toEqual(recipe)
  })

  it('a preset comes first, and what is given replaces what it says', () => {
    const plain = parseRecipe({ preset: 'int4-weights' })
    expect(plain.weights).toEqual({
      type: 'int4',
      granularity: 'group',
      group: 32,
      symmetric: true,
      range: 'mse',
      levels: 'full',
    })
    expect(plain.activations.type).toBe('block')
    expect(parseRecipe(JSON.parse(JSON.stringify(plain)))).toEqual(plain)
    const other = parseRecipe({
      preset: 'int4-weights',
      weights: { granularity: 'channel' },
      activations: 'float',
    })
    expect([other.weights.granularity, other.weights.group, other.activations.type]).toEqual([
      'channel',
      undefined,
      'float',
    ])
    expect(parseRecipe({ preset: 'int8' })).toEqual(parseRecipe({}))
    const grouped = parseRecipe({ weights: { granularity: 'group' }, activations: 'block' })
    expect(grouped.weights.group).toBe(32)
  })

  it('another type has its own levels, in a rule too', () => {
    const { rules, ...recipe } = parseRecipe({ rules: [{ match: { node: 'a' }, weights: { type: 'int4' } }] })
    const of = settingsOf({ ...recipe, rules })
    const settings = of({ name: 'a', opType: 'Conv', domain: '', inputs: [], outputs: [], attributes: {} })
    expect([recipe.weights.levels, settings.weights.levels]).toEqual(['narrow', 'full'])
  })

  it('undefined is the default', () => {
    const recipe = parseRecipe({
      weights: { type: undefined },
      activations: undefined,
      exclude: undefined,
      biasCorrection: undefined,
    })
    expect(recipe).toEqual(parseRecipe({}))
    expect(Object.keys(recipe.activations)).toEqual(['type', 'symmetric', 'observer', 'levels'])
  })

  it('rules keep what they say, patterns become JSON', () => {
    const { rules } = parseRecipe({
      rules: [
        { match: { opType: 'Conv', pattern: /^stem/gi }, weights: { levels: { qmin: -8, qmax: 7 } } },
        { match: { pattern: 'head' }, activations: { observer: 'percentile', percentile: 99.9 } },
        { match: { node: 'head/cls' }, exclude: true },
      ],
    })
    expect(rules).toEqual([
      {
        match: { opType: 'Conv', pattern: { pattern: '^stem', flags: 'i' } },
        weights: { levels: { qmin: -8, qmax: 7 } },
      },
      {
        match: { pattern: { pattern: 'head', flags: '' } },
        activations: { observer: 'percentile', percentile: 99.9 },
      },
      { match: { node: 'head/cls' }, exclude: true },
    ])
    expect(parseRecipe(JSON.parse(JSON.stringify({ rules }))).rules).toEqual(rules)
  })

  it.each([
    [
      { weights: { type: 'int3' } },
      /Option 'weights.type': expected one of int8, .*uint2, w1, received "int3"/,
    ],
    [{ weights: { group: 8 } }, /Option 'weights.group': expected an integer from 16 to 256, received 8/],
    [{ weights: { granularity: 'channel', group: 32 } }, /Option 'weights.group'.*granularity 'channel'/],
    [{ weights: { type: 'int4', group: 32 } }, /Option 'weights.granularity'.*'block' or 'float'.*'int8'/],
    [{ weights: { symmetric: false } }, /Option 'weights.symmetric'.*'block' or 'float'.*'int8'/],
    [{ weights: { type: 'int4', levels: '7-bit' } }, /Option 'weights.levels'.*8 bits/],
    [{ weights: { type: 'int4', levels: { qmin: -9, qmax: 7 } } }, /'weights.levels'.*\[-8, 7\] of int4/],
    [{ preset: 'int3' }, /Option 'preset': expected one of int8,.*received "int3"/],
    [{ activations: 'int4' }, /Option 'activations.type'/],
    [{ rules: [{ match: { node: 'a' }, weights: { group: 32 } }] }, /'rules.0.weights.granularity'/],
    [{ weights: { typo: 1 } }, /Option 'weights.typo'/],
    [{ activations: { observer: 'magic' } }, /Option 'activations.observer'.*"magic"/],
    [{ activations: { percentile: 120 } }, /Option 'activations.percentile'.*above 50 and up to 100/],
    [{ activations: { percentile: '99' } }, /Option 'activations.percentile'/],
    [{ activations: { deviations: Number.POSITIVE_INFINITY } }, /Option 'activations.deviations'/],
    [{ activations: { momentum: 0 } }, /Option 'activations.momentum'/],
    [{ activations: { symmetric: 1 } }, /Option 'activations.symmetric': expected true or false/],
    [{ activations: { levels: '6-bit' } }, /Option 'activations.levels': expected one of full, narrow/],
    [
      { activations: { levels: { qmin: 0, qmax: 200 } } },
      /Option 'activations.levels'.*\[-128, 127\] of int8/,
    ],
    [{ activations: { levels: { qmin: 5, qmax: 5 } } }, /Option 'activations.levels'/],
    [{ activations: { levels: { qmin: 0.5, qmax: 5 } } }, /two integers/],
    [{ weights: { levels: '0..127' } }, /Option 'weights.levels'/],
    [{ weights: { levels: { qmin: 0, qmax: 127 } } }, /both sides of 0, the zero point of int8/],
    [{ weights: { type: 'uint8', levels: { qmin: 0, qmax: 128 } } }, /both sides of 128/],
    [{ exclude: 'head' }, /Option 'exclude': expected a list/],
    [{ exclude: [7] }, /Option 'exclude.0'/],
    [{ exclude: [{ pattern: '(' }] }, /Option 'exclude.0': expected a regular expression/],
    [{ biasCorrection: 'yes' }, /Option 'biasCorrection'/],
    [{ weights: 'int8' }, /Option 'weights': expected an object/],
    [{ rules: [{ match: {} }] }, /Option 'rules.0.match': expected at least one of opType, node, pattern/],
    [{ rules: [{ weights: {} }] }, /Option 'rules.0.match': expected an object/],
    [{ rules: [{ match: { opType: 3 } }] }, /Option 'rules.0.match.opType'/],
    [{ rules: [{ match: { op: 'Conv' } }] }, /Option 'rules.0.match.op'/],
    [{ rules: [{ match: { node: 'a' }, exclude: 'yes' }] }, /Option 'rules.0.exclude'/],
    [{ rules: [{ match: { node: 'a' }, weights: { range: 'max' } }] }, /Option 'rules.0.weights.range'/],
    [
      { rules: [{ match: { node: 'a' }, activations: { levels: { qmin: -200, qmax: 0 } } }] },
      /'rules.0.activations.levels'/,
    ],
  ])('refuses %j', (options, message) => {
    expect(() => parseRecipe(options as never)).toThrow(message)
    expect(() => parseRecipe(options as never)).toThrow(TypeError)
  })
})

describe('parseRecipeFile', () => {
  it('takes what parseRecipe gives, and the address of its schema', () => {
    const recipe = parseRecipe({ activations: { type: 'uint8', levels: '0..127' } })
    const file = JSON.parse(JSON.stringify({ $schema: 'recipe.schema.json', ...recipe }))
    expect(parseRecipe(parseRecipeFile(file))).toEqual(recipe)
  })

  it.each([
    [[], /expected an object/],
    [{ data: 'x' }, /Option 'data': there is no such option/],
    [{ $schema: 1 }, /Option '\$schema'/],
    [{ weights: { levels: { qmin: -8, qmax: 7, step: 1 } } }, /Option 'weights.levels.step'/],
  ])('refuses %j', (json, message) => {
    expect(() => parseRecipeFile(json)).toThrow(message)
  })
})
