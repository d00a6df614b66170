/** The recipe: every choice of a static quantization, complete, as plain JSON. Options are a recipe with defaults. */
import * as v from 'valibot'
import { typeError } from '../../errors.js'
import type { ObserverName } from '../../statistics/observers/index.js'
import { OBSERVER_NAMES } from '../../statistics/observers/index.js'

const type8 = v.picklist(['int8', 'uint8'])

const weightsSchema = v.strictObject({
  /** uint8 weights are int8 ones with zero point 128, for tools that know no others. */
  type: v.optional(type8, 'int8'),
  /** One scale per output channel, or one for the whole tensor. */
  granularity: v.optional(v.picklist(['channel', 'tensor']), 'channel'),
  /** The largest magnitude, or the range of least squared error. */
  range: v.optional(v.picklist(['minmax', 'mse']), 'mse'),
})

const percent = v.pipe(v.number(), v.gtValue(50), v.maxValue(100))
const positive = v.pipe(v.number(), v.gtValue(0), v.finite())

const activationsSchema = v.strictObject({
  type: v.optional(type8, 'int8'),
  /** Zero point in the middle. Costs half of the levels after a Relu; some targets need it. */
  symmetric: v.optional(v.boolean(), false),
  observer: v.optional(v.picklist(OBSERVER_NAMES as readonly ObserverName[]), 'mse'),
  percentile: v.optional(percent),
  deviations: v.optional(positive),
  momentum: v.optional(v.pipe(v.number(), v.gtValue(0), v.maxValue(1))),
})

const patternSchema = v.strictObject({ pattern: v.string(), flags: v.optional(v.string(), '') })

const excludeSchema = v.array(
  v.union([
    v.string(),
    patternSchema,
    v.pipe(
      v.instance(RegExp),
      v.transform((r) => ({ pattern: r.source, flags: r.flags.replace(/[gy]/g, '') })),
    ),
  ]),
)

const recipeSchema = v.object({
  weights: v.optional(weightsSchema, {}),
  activations: v.optional(activationsSchema, {}),
  /** Nodes that stay in float: exact names, or patterns that a name contains. */
  exclude: v.optional(excludeSchema, []),
  /** Adds to every bias what quantization took from the mean of its channel. */
  biasCorrection: v.optional(v.boolean(), true),
})

export type RecipeOptions = v.InferInput<typeof recipeSchema>
export type Recipe = v.InferOutput<typeof recipeSchema>
export type NodePattern = Recipe['exclude'][number]
export type QuantizedType = 'int8' | 'uint8'

/** The complete recipe of these options. Throws a TypeError that names the option, what was expected and what came. */
export function parseRecipe(options: RecipeOptions): Recipe {
  const { weights, activations, exclude, biasCorrection } = options
  const result = v.safeParse(recipeSchema, { weights, activations, exclude, biasCorrection })
  if (!result.success) {
    const issue = result.issues[0]
    const path = v.getDotPath(issue) ?? 'options'
    throw typeError(`Option '${path}': ${issue.message}`)
  }
  for (const pattern of result.output.exclude) compilePattern(pattern)
  return result.output
}

/** Whether a node of this name is excluded. */
export function excluder(patterns: readonly NodePattern[]): (name: string) => boolean {
  const tests = patterns.map(compilePattern)
  return (name) => tests.some((test) => test(name))
}

function compilePattern(pattern: NodePattern): (name: string) => boolean {
  if (typeof pattern === 'string') return (name) => name === pattern
  try {
    const expression = new RegExp(pattern.pattern, pattern.flags)
    return (name) => expression.test(name)
  } catch (cause) {
    throw typeError(
      `Option 'exclude': expected a regular expression, received /${pattern.pattern}/${pattern.flags}: ${(cause as Error).message}`,
    )
  }
}
