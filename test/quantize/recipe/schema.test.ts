/** The published schema is that of the table, and takes what the validator takes. */
import { expect, it } from 'vitest'
import { parseRecipe, parseRecipeFile } from '../../../lib/quantize/recipe/recipe.js'
import { recipeSchema } from '../../../lib/quantize/recipe/schema.js'

it('docs/recipe.schema.json is what the table of fields says (vitest -u writes it)', async () => {
  const text = `${JSON.stringify(recipeSchema(), null, 2)}\n`
  await expect(text).toMatchFileSnapshot('../../../docs/recipe.schema.json')
})

type Schema = {
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly oneOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean
  readonly minProperties?: number
  readonly minLength?: number
  readonly items?: Schema
  readonly exclusiveMinimum?: number
  readonly minimum?: number
  readonly maximum?: number
}

/** As much of JSON Schema as recipes use. */
function fits(value: unknown, schema: Schema): boolean {
  if (schema.enum && !schema.enum.includes(value)) return false
  if (schema.oneOf && schema.oneOf.filter((s) => fits(value, s)).length !== 1) return false
  if (schema.type !== undefined && !hasType(value, schema.type)) return false
  if (typeof value === 'string' && value.length < (schema.minLength ?? 0)) return false
  if (typeof value === 'number') {
    if (schema.exclusiveMinimum !== undefined && !(value > schema.exclusiveMinimum)) return false
    if (schema.maximum !== undefined && value > schema.maximum) return false
    if (schema.minimum !== undefined && value < schema.minimum) return false
  }
  if (Array.isArray(value)) return value.every((v) => !schema.items || fits(v, schema.items))
  return typeof value !== 'object' || value === null || fitsObject(value, schema)
}

function fitsObject(value: object, { properties = {}, required = [], ...schema }: Schema): boolean {
  const entries = Object.entries(value)
  if (entries.length < (schema.minProperties ?? 0) || required.some((key) => !(key in value))) return false
  return entries.every(([key, v]) => {
    const known = properties[key]
    return known ? fits(v, known) : schema.additionalProperties !== false
  })
}

function hasType(value: unknown, type: string): boolean {
  if (type === 'array') return Array.isArray(value)
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value)
  return typeof value === type
}

const pattern = { pattern: 'head', flags: 'i' }

it.each([
  {},
  JSON.parse(JSON.stringify(parseRecipe({}))),
  { $schema: 'x', weights: { levels: { qmin: -8, qmax: 7 } }, activations: { levels: '0..127' } },
  { preset: 'int4-weights', weights: { group: 64, symmetric: false }, activations: 'float' },
  { exclude: ['a', pattern], rules: [{ match: { pattern } }, { match: { pattern: 'x' }, exclude: false }] },
  { activations: { observer: 'mean-std', deviations: 3, percentile: 100, momentum: 1 } },
])('both take %j', (file) => {
  expect(() => parseRecipeFile(file)).not.toThrow()
  expect(fits(file, recipeSchema())).toBe(true)
})

it.each([
  [[]],
  [{ typo: 1 }],
  [{ weights: { type: 'int3' } }],
  [{ weights: { granularity: 'group', group: 8 } }],
  [{ preset: 'int3' }],
  [{ activations: 'int4' }],
  [{ weights: { levels: '0..127' } }],
  [{ weights: { levels: { qmin: -8 } } }],
  [{ weights: { levels: { qmin: -8.5, qmax: 7 } } }],
  [{ activations: { symmetric: 'no' } }],
  [{ activations: { percentile: 50 } }],
  [{ activations: { momentum: 1.5 } }],
  [{ exclude: [1] }],
  [{ exclude: [{ flags: 'i' }] }],
  [{ rules: [{}] }],
  [{ rules: [{ match: {} }] }],
  [{ rules: [{ match: { node: '' } }] }],
  [{ rules: [{ match: { opType: 'Conv', kind: 1 } }] }],
  [{ biasCorrection: 1 }],
])('both refuse %j', (file) => {
  expect(() => parseRecipeFile(file)).toThrow(TypeError)
  expect(fits(file, recipeSchema())).toBe(false)
})
