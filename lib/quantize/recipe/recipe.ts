/** Options and recipe files to complete recipes. */
import { typeError } from '../../errors.js'
import { checkField, checkFields, checkObject, defaultsOf, fail, type Plain } from './check.js'
import { activationFields, recipeFields, weightFields } from './fields.js'
import { activationFormat, weightFormat } from './levels.js'
import { checkNodePattern, checkPattern } from './patterns.js'
import type { ActivationSettings, Recipe, RecipeOptions, Rule, RuleMatch, WeightSettings } from './types.js'

/** The keys of a recipe; a file may also name its schema. */
const KEYS = ['weights', 'activations', 'exclude', 'rules', ...Object.keys(recipeFields)]
const MATCHES = ['opType', 'node', 'pattern']

/** The complete recipe of these options. Throws a TypeError that names the option, what was expected and what came. */
export function parseRecipe(options: RecipeOptions): Recipe {
  const weights = {
    ...defaultsOf(weightFields),
    ...checkFields(options.weights ?? {}, 'weights', weightFields),
  } as unknown as WeightSettings
  const activations = withObserver({
    ...defaultsOf(activationFields),
    ...checkFields(options.activations ?? {}, 'activations', activationFields),
  })
  checkFormats('', weights, activations)
  const exclude = list(options.exclude, 'exclude').map((p, i) => checkNodePattern(p, `exclude.${i}`))
  const rules = list(options.rules, 'rules').map((rule, i) => parseRule(rule, `rules.${i}`))
  for (const [i, rule] of rules.entries()) {
    checkFormats(`rules.${i}.`, { ...weights, ...rule.weights }, { ...activations, ...rule.activations })
  }
  return { weights, activations, exclude, rules, ...wholeSettings(options) }
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

/** With the numbers of the observer, where they were not given. */
function withObserver(given: Readonly<Record<string, unknown>>): ActivationSettings {
  const own = Object.entries(activationFields).flatMap(([key, field]) =>
    field.kind === 'number' && field.observer === given.observer ? [[key, field.default] as const] : [],
  )
  return { ...Object.fromEntries(own), ...given } as unknown as ActivationSettings
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
    ...(weights === undefined ? {} : { weights: checkFields(weights, `${path}.weights`, weightFields) }),
    ...(activations === undefined
      ? {}
      : { activations: checkFields(activations, `${path}.activations`, activationFields) }),
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

/** Levels that the types do not have are refused where they are written, not where a node meets them. */
function checkFormats(prefix: string, weights: WeightSettings, activations: ActivationSettings): void {
  for (const [path, format] of [
    ['weights', () => weightFormat(weights)],
    ['activations', () => activationFormat(activations)],
  ] as const) {
    try {
      format()
    } catch (error) {
      throw typeError(`Option '${prefix}${path}.levels': ${(error as Error).message}.`)
    }
  }
}
