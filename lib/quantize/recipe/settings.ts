/** What a recipe says of one node: its defaults, then its rules in their order. */
import type { Node } from '../../graph/graph.js'
import { defaultWeightLevels } from './levels.js'
import { nameTest } from './patterns.js'
import type { ActivationSettings, NodePattern, Recipe, Rule, RuleMatch, WeightSettings } from './types.js'

export interface NodeSettings {
  /** The node stays in float. */
  readonly exclude: boolean
  /** The node is integer whatever it costs: a rule says that it does not stay in float. */
  readonly forced: boolean
  /** Of its weights. */
  readonly weights: WeightSettings
  /** Of the values that it makes. */
  readonly activations: ActivationSettings
}

/** The parts of a recipe that are for no node at all, as a user would want to hear of them. */
export function unmatched({ exclude, rules }: Recipe, nodes: readonly Node[]): string[] {
  const none = (test: (node: Node) => boolean) => !nodes.some(test)
  return [
    ...exclude.flatMap((pattern) =>
      none(matcher({ pattern: typeof pattern === 'string' ? undefined : pattern, node: nameOf(pattern) }))
        ? [`exclude: no node ${described(pattern)}`]
        : [],
    ),
    ...rules.flatMap(({ match }, i) =>
      none(matcher(match)) ? [`rules.${i}: no node matches ${JSON.stringify(match)}`] : [],
    ),
  ]
}

const nameOf = (pattern: NodePattern) => (typeof pattern === 'string' ? pattern : undefined)

function described(pattern: NodePattern): string {
  return typeof pattern === 'string'
    ? `is named '${pattern}'`
    : `has a name that matches /${pattern.pattern}/${pattern.flags}`
}

/** A node is also found by the names of the nodes of the file that it stands for. */
export function settingsOf(recipe: Recipe): (node: Node) => NodeSettings {
  const excluded = recipe.exclude.map(nameTest)
  const rules = recipe.rules.map((rule) => ({ rule, matches: matcher(rule.match) }))
  return (node) => {
    const start: NodeSettings = {
      exclude: namesOf(node).some((name) => excluded.some((test) => test(name))),
      forced: false,
      weights: recipe.weights,
      activations: recipe.activations,
    }
    return rules.reduce(
      (settings, { rule, matches }) => (matches(node) ? changed(settings, rule) : settings),
      start,
    )
  }
}

function changed(settings: NodeSettings, { weights, activations, exclude }: Rule): NodeSettings {
  return {
    exclude: exclude ?? settings.exclude,
    forced: exclude === undefined ? settings.forced : !exclude,
    weights: weights ? changedWeights(settings.weights, weights) : settings.weights,
    activations: activations ? { ...settings.activations, ...activations } : settings.activations,
  }
}

/** A type of more or fewer bits has other levels, where nothing says which. */
export function changedWeights(settings: WeightSettings, given: Partial<WeightSettings>): WeightSettings {
  const { type = settings.type } = given
  const alike = defaultWeightLevels(type) === defaultWeightLevels(settings.type)
  const levels = alike ? settings.levels : defaultWeightLevels(type)
  return { ...settings, levels, ...given }
}

function matcher({ opType, node: name, pattern }: RuleMatch): (node: Node) => boolean {
  const tests: ((node: Node) => boolean)[] = []
  if (opType !== undefined) tests.push((node) => node.opType === opType)
  for (const wanted of [name, pattern]) {
    if (wanted === undefined) continue
    const test = nameTest(wanted)
    tests.push((node) => namesOf(node).some(test))
  }
  return (node) => tests.every((test) => test(node))
}

function namesOf(node: Node): readonly string[] {
  return [node.name, ...(node.origin ?? [])]
}
