/** The recipe on the command line: a file, and a flag for each of its settings, made of the table of fields. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { readText } from '../data/read-file.js'
import { OctavoError, typeError } from '../errors.js'
import { activationFields, type Field, recipeFields, weightFields } from '../quantize/recipe/fields.js'
import { PRESET_NAMES, presets } from '../quantize/recipe/presets.js'
import { parseRecipeFile } from '../quantize/recipe/recipe.js'
import type { Levels, PresetName, RecipeOptions, RuleOptions } from '../quantize/recipe/types.js'
import { regex } from './options.js'

/** What commander gives: values by the names of the flags in camel case. */
export interface RecipeFlags {
  readonly recipe?: string
  readonly exclude?: readonly RegExp[]
  readonly rule?: readonly RuleOptions[]
  readonly perTensor?: boolean
  readonly preset?: PresetName
  readonly [flag: string]: unknown
}

const WORDS: Readonly<Record<string, string>> = { true: 'yes', false: 'no' }

type Fields = Readonly<Record<string, Field>>

/** --recipe, and a flag for each setting. */
export function withRecipe(command: Command): Command {
  command.option(
    '--recipe <file>',
    'JSON file of choices (docs/recipe.schema.json); flags change its defaults and add to its lists (default: none)',
  )
  const names = PRESET_NAMES.map((name) => `${name} (${presets[name].text})`).join('; ')
  command.addOption(
    new Option(
      '--preset <name>',
      `settings that go together, before those of other flags: ${names} (default: int8)`,
    ).choices(PRESET_NAMES),
  )
  for (const fields of [activationFields, weightFields, recipeFields] as Fields[]) {
    for (const field of Object.values(fields)) {
      for (const option of optionsOf(field)) command.addOption(option)
    }
  }
  return command
    .option('--per-tensor', 'the same as --weight-granularity tensor')
    .option(
      '--exclude <regex>',
      'nodes whose name matches stay in float; may be repeated (default: none)',
      regex,
    )
    .option(
      '--rule <json>',
      'settings for some nodes, as in "rules" of a recipe; may be repeated (default: none)',
      rule,
    )
}

function optionsOf(field: Field): Option[] {
  const { flag } = field
  const text = `${field.text} (default: ${WORDS[String(field.default)] ?? field.default})`
  switch (field.kind) {
    case 'choice':
      return [new Option(`--${flag} <name>`, text).choices(field.choices)]
    case 'boolean':
      return [new Option(`--${flag}`, text), new Option(`--no-${flag}`, 'not so, whatever the recipe says')]
    case 'number':
    case 'integer':
      return [new Option(`--${flag} <number>`, text).argParser(number)]
    case 'levels': {
      const { presets } = field
      const option = new Option(`--${flag} <levels>`, `${text}; ${presets.join(', ')}, or from..to`)
      return [option.argParser((value) => levels(value, presets))]
    }
  }
}

/** The options of the recipe file, if there is one, with those of the flags. */
export async function recipeOptions(flags: RecipeFlags): Promise<RecipeOptions> {
  const file = flags.recipe === undefined ? {} : await readRecipe(flags.recipe)
  const granularity = flags.perTensor ? { granularity: 'tensor' as const } : {}
  const ofFile = typeof file.activations === 'string' ? { type: file.activations } : file.activations
  return {
    ...file,
    ...given(recipeFields, flags),
    ...(flags.preset === undefined ? {} : { preset: flags.preset }),
    weights: { ...file.weights, ...given(weightFields, flags), ...granularity },
    activations: { ...ofFile, ...given(activationFields, flags) },
    exclude: [...(file.exclude ?? []), ...(flags.exclude ?? [])],
    rules: [...(file.rules ?? []), ...(flags.rule ?? [])],
  }
}

async function readRecipe(path: string): Promise<RecipeOptions> {
  const text = await readText(path).catch((cause: Error) => {
    throw new OctavoError('ERR_IO', `--recipe: ${cause.message}`, { cause })
  })
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw typeError(`--recipe: expected JSON in '${path}': ${(cause as Error).message}`)
  }
  return parseRecipeFile(json)
}

/** The settings whose flags were given. */
function given(fields: Fields, flags: RecipeFlags): Record<string, unknown> {
  const entries = Object.entries(fields).map(([key, { flag }]) => [key, flags[camelCase(flag)]] as const)
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

function camelCase(flag: string): string {
  return flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
}

function number(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (!Number.isFinite(value)) throw new InvalidArgumentError('expected a number.')
  return value
}

function levels(text: string, presets: readonly string[]): Levels {
  if (presets.includes(text)) return text as Levels
  const [, from, to] = /^(-?\d+)\.\.(-?\d+)$/.exec(text) ?? []
  if (from === undefined || to === undefined) {
    throw new InvalidArgumentError(`expected one of ${presets.join(', ')}, or two integers as from..to.`)
  }
  return { qmin: Number(from), qmax: Number(to) }
}

function rule(text: string, before: readonly RuleOptions[] = []): RuleOptions[] {
  try {
    return [...before, JSON.parse(text) as RuleOptions]
  } catch (error) {
    throw new InvalidArgumentError(`expected JSON: ${(error as Error).message}`)
  }
}
