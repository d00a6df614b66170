/** Options and recipe files to complete recipes. */
import { checkField, checkFields, checkObject, fail, type Plain, withDefaults } from './check.js'
import { checkCombinations } from './combinations.js'
import { activationFields, recipeFields, weightFields } from './fields.js'
import { defaultWeightLevels } from './levels.js'
import { checkNodePattern, checkPattern } from './patterns.js'
import { PRESET_NAMES, presets } from './presets.js'
import type { ActivationSettings, Recipe, RecipeOptions, Rule, RuleMatch, WeightSettings } from './types.js'

/** The keys of a recipe; a file may also name its schema. */
const KEYS = ['preset', 'weights', 'activations', 'exclude', 'rules', ...Object.keys(recipeFields)]
const MATCHES = ['opType', 'node', 'pattern']

/** The complete recipe of these options. Throws a TypeError that names the option, what was expected and what came. */
export function parseRecipe(options: RecipeOptions): Recipe {
  const { preset = 'int8' } = options
  if (!PRESET_NAMES.includes(preset)) fail('preset', `one of ${PRESET_NAMES.join(', ')}`, preset)
  const named = presets[preset].options
  const weights = completeWeights({
    ...givenWeights(named.weights, 'preset.weights'),
    ...givenWeights(options.weights, 'weights'),
  })
  const activations = withDefaults(activationFields, {
    ...givenActivations(named.activations, 'preset.activations'),
    ...givenActivations(options.activations, 'activations'),
  }) as unknown as ActivationSettings
  const exclude = list(options.exclude, 'exclude').map((p, i) => checkNodePattern(p, `exclude.${i}`))
  const rules = list(options.rules, 'rules').map((rule, i) => parseRule(rule, `rules.${i}`))
  const recipe = { weights, activations, exclude, rules, ...wholeSettings(options) }
  checkCombinations(recipe)
  return recipe
}

/** A size of groups means groups, where nothing else is said. */
function givenWeights(value: unknown, path: string): Partial<WeightSettings> {
  const given = checkFields(value ?? {}, path, weightFields) as Partial<WeightSettings>
  if (given.group === undefined) return given
  if (given.granularity !== undefined && given.granularity !== 'group') {
    fail(`${path}.group`, `no size of groups beside granularity '${given.granularity}'`, given.group)
  }
  return { ...given, granularity: 'group' }
}

function completeWeights({ group, ...given }: Partial<WeightSettings>): WeightSettings {
  const levels = defaultWeightLevels(given.type ?? 'int8')
  const grouped = given.granularity === 'group' && group !== undefined ? { group } : {}
  return withDefaults(weightFields, { levels, ...given, ...grouped }) as unknown as WeightSettings
}

/** A string is the type alone. */
function givenActivations(value: unknown, path: string): Partial<ActivationSettings> {
  const given = typeof value === 'string' ? { type: value } : (value ?? {})
  return checkFields(given, path, activationFields) as Partial<ActivationSettings>
}

/** The settings of the recipe as a whole. */
function wholeSettings(options: RecipeOptions): Pick<Recipe, keyof typeof recipeFields> {
  const names = Object.keys(recipeFields) as (keyof typeof recipeFields)[]
  const settings = names.map((name) => {
    const field = recipeFields[name]
    return [name, checkField(options[name], name, field) ?? field.default] as const
  })
  return Object.fromEntries(settings) as unknown as Pick<Recipe, keyof typeof recipeFields>
}

/** The options that a recipe file holds, read as JSON: no other keys than those of a recipe, and `$schema`. */
export function parseRecipeFile(json: unknown): RecipeOptions {
  const { $schema, ...options } = checkObject(json, '', ['$schema', ...KEYS])
  if ($schema !== undefined && typeof $schema !== 'string')
    fail('$schema', 'the address of the schema', $schema)
  parseRecipe(options)
  return options
}

function parseRule(value: unknown, path: string): Rule {
  const { match, weights, activations, exclude } = checkObject(value, path, [
    'match',
    'weights',
    'activations',
    'exclude',
  ])
  if (exclude !== undefined && typeof exclude !== 'boolean') fail(`${path}.exclude`, 'true or false', exclude)
  return {
    match: parseMatch(match, `${path}.match`),
    ...(weights === undefined ? {} : { weights: givenWeights(weights, `${path}.weights`) }),
    ...(activations === undefined
      ? {}
      : { activations: givenActivations(activations, `${path}.activations`) }),
    ...(exclude === undefined ? {} : { exclude }),
  }
}

function parseMatch(value: unknown, path: string): RuleMatch {
  const given: Plain = checkObject(value, path, MATCHES)
  const match: { -readonly [K in keyof RuleMatch]: RuleMatch[K] } = {}
  for (const key of ['opType', 'node'] as const) {
    const name = given[key]
    if (name === undefined) continue
    match[key] = typeof name === 'string' && name !== '' ? name : fail(`${path}.${key}`, 'a name', name)
  }
  if (given.pattern !== undefined) match.pattern = checkPattern(given.pattern, `${path}.pattern`)
  if (Object.keys(match).length === 0) fail(path, `at least one of ${MATCHES.join(', ')}`, value)
  return match
}

function list(value: unknown, path: string): readonly unknown[] {
  if (value === undefined) return []
  return Array.isArray(value) ? value : fail(path, 'a list', value)
}
