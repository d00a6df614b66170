/** octavo quantize: recipes in files and flags. */
import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { recipeOptions, withRecipe } from '../../lib/cli/recipe.js'
import { parseRecipe } from '../../lib/quantize/recipe/recipe.js'
import { octavo, octavoOnOneCore, writeModelAndData } from './octavo.js'

let folder = ''
const at = (name: string) => join(folder, name)
const job = (output: string, ...rest: string[]) => [
  'quantize',
  at('model.onnx'),
  '-o',
  at(output),
  '--data',
  at('data.npy'),
  ...rest,
]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octavo-quantize-'))
  await writeModelAndData(folder)
  await writeFile(
    at('recipe.json'),
    JSON.stringify({
      $schema: 'recipe.schema.json',
      weights: { range: 'minmax', granularity: 'tensor' },
      activations: { type: 'uint8', observer: 'percentile', percentile: 99, symmetric: true },
      exclude: ['nothing'],
      rules: [{ match: { opType: 'Gemm' }, weights: { levels: '7-bit' } }],
      biasCorrection: false,
      check: 'repair',
    }),
  )
})

afterAll(() => rm(folder, { recursive: true }))

/** The complete recipe of these flags. */
async function recipeOf(...flags: string[]) {
  const command = withRecipe(new Command('x'))
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
  command.parse(flags, { from: 'user' })
  return parseRecipe(await recipeOptions(command.opts()))
}

describe('flags', () => {
  test('none: the defaults', async () => {
    expect(await recipeOf()).toEqual(parseRecipe({}))
  })

  test('every setting has one', async () => {
    const flags = [
      ['--activations', 'uint8'],
      ['--symmetric'],
      ['--observer', 'percentile'],
      ['--percentile', '99.9'],
      ['--deviations', '3'],
      ['--momentum', '0.2'],
      ['--activation-levels', '0..127'],
      ['--weights', 'uint8'],
      ['--weight-granularity', 'tensor'],
      ['--weight-range', 'minmax'],
      ['--weight-levels', '7-bit'],
      ['--file', 'nbits'],
      ['--no-bias-correction'],
      ['--exclude', 'head', '--exclude', '^stem'],
      ['--rule', '{"match":{"opType":"Conv"},"exclude":true}'],
    ].flat()
    expect(await recipeOf(...flags)).toEqual({
      weights: { type: 'uint8', granularity: 'tensor', symmetric: true, range: 'minmax', levels: '7-bit' },
      activations: {
        type: 'uint8',
        symmetric: true,
        observer: 'percentile',
        percentile: 99.9,
        deviations: 3,
        momentum: 0.2,
        levels: '0..127',
      },
      exclude: [
        { pattern: 'head', flags: '' },
        { pattern: '^stem', flags: '' },
      ],
      rules: [{ match: { opType: 'Conv' }, exclude: true }],
      file: 'nbits',
      biasCorrection: false,
      check: 'repair',
    })
  })

  test('levels are numbers too, negative ones among them; --per-tensor is short for one scale', async () => {
    const { weights, activations } = await recipeOf(
      ...['--weight-levels', '-8..7', '--activation-levels', '-100..100', '--per-tensor'],
    )
    expect(weights).toMatchObject({ levels: { qmin: -8, qmax: 7 }, granularity: 'tensor' })
    expect(activations.levels).toEqual({ qmin: -100, qmax: 100 })
  })

  test('formats: a preset, groups and activations', async () => {
    expect(await recipeOf('--preset', 'int4-weights')).toEqual(parseRecipe({ preset: 'int4-weights' }))
    const flags = ['--weights', 'int4', '--group', '64', '--no-weight-symmetric', '--activations', 'float']
    expect(await recipeOf(...flags)).toEqual(
      parseRecipe({ weights: { type: 'int4', group: 64, symmetric: false }, activations: 'float' }),
    )
  })

  test('win over the recipe, and add to its lists', async () => {
    const recipe = await recipeOf(
      ...[
        '--recipe',
        at('recipe.json'),
        '--percentile',
        '98',
        '--no-symmetric',
        '--weight-granularity',
        'channel',
      ],
      ...['--bias-correction', '--exclude', 'head', '--rule', '{"match":{"node":"relu"},"exclude":true}'],
    )
    expect(recipe).toEqual({
      weights: { type: 'int8', granularity: 'channel', symmetric: true, range: 'minmax', levels: 'narrow' },
      activations: {
        type: 'uint8',
        symmetric: false,
        observer: 'percentile',
        percentile: 98,
        levels: 'full',
      },
      exclude: ['nothing', { pattern: 'head', flags: '' }],
      rules: [
        { match: { opType: 'Gemm' }, weights: { levels: '7-bit' } },
        { match: { node: 'relu' }, exclude: true },
      ],
      file: 'dq',
      biasCorrection: true,
      check: 'repair',
    })
  })

  test.each([
    [['--percentile', 'many'], 'expected a number'],
    [['--weight-levels', 'most'], 'expected one of full, narrow, 7-bit, or two integers'],
    [['--rule', '{'], 'expected JSON'],
    [['--observer', 'best'], 'Allowed choices'],
  ])('%j is wrong usage', async (flags, message) => {
    await expect(recipeOf(...flags)).rejects.toThrow(message)
  })
})

/** What is said of names: the model is so small that more is said of it. */
const ofNames = (text: string) => (text.match(/^octavo: warning: exclude: .*\n/gm) ?? []).join('')

describe('recipes', () => {
  test('the saved recipe repeats the file, byte for byte', async () => {
    const flags = [
      '--observer',
      'mean-std',
      '--deviations',
      '2.5',
      '--weight-levels',
      '7-bit',
      '--exclude',
      '^x$',
    ]
    const first = await octavo(...job('a.onnx', ...flags, '--save-recipe', at('saved.json')))
    const warning = 'octavo: warning: exclude: no node has a name that matches /^x$/\n'
    expect([first.code, ofNames(first.err)]).toEqual([0, warning])
    expect(first.out).toContain(`--recipe ${at('saved.json')}`)
    const again = await octavo(...job('b.onnx', '--recipe', at('saved.json'), '--json'))
    expect([again.code, ofNames(again.err)]).toEqual([0, ''])
    expect(Buffer.compare(await readFile(at('a.onnx')), await readFile(at('b.onnx')))).toBe(0)
    expect(JSON.parse(again.out).recipe).toEqual(JSON.parse(await readFile(at('saved.json'), 'utf8')))
  })

  const taskset = spawnSync('taskset', ['--version']).status === 0
  if (!taskset) console.warn('skipped: taskset is not installed, so runs on one core are not compared')
  test.skipIf(!taskset)('on one core as on all', async () => {
    const recipe = ['--recipe', at('recipe.json')]
    const all = await octavo(...job('all.onnx', ...recipe))
    const one = await octavoOnOneCore(...job('one.onnx', ...recipe))
    const warning = "octavo: warning: exclude: no node is named 'nothing'\n"
    expect([all.code, one.code, ofNames(one.err)]).toEqual([0, 0, warning])
    expect(Buffer.compare(await readFile(at('all.onnx')), await readFile(at('one.onnx')))).toBe(0)
  })

  test.each([
    ['nosuch.json', undefined, `nosuch.json': there is no such file.`],
    ['broken.json', '{', 'expected JSON'],
    ['typo.json', '{ "weight": {} }', "'weight': there is no such option"],
    ['levels.json', '{ "weights": { "levels": "0..127" } }', "'weights.levels'"],
  ])('%s fails with one clear line', async (name, text, message) => {
    if (text !== undefined) await writeFile(at(name), text)
    const { code, err } = await octavo(...job('never.onnx', '--recipe', at(name)))
    expect(code).not.toBe(0)
    expect(err).toMatch(/^octavo: .*\n$/)
    expect(err).toContain(message)
  })

  test.each(['model.onnx', 'c.onnx', 'recipe.json'])('is not saved over %s', async (name) => {
    const args = ['--recipe', at('recipe.json'), '--save-recipe', at(name), '--force']
    const { err } = await octavo(...job('c.onnx', ...args))
    expect(err).toContain('--save-recipe: expected another file')
  })
})
