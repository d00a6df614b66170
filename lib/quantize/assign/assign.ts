/** Assigns: which nodes become integer, which values and weights are quantized for them, and in which formats. */
import { FORMATS, type Format } from '../../graph/format.js'
import { type Node, producersOf } from '../../graph/graph.js'
import type { Method, Quantization, ValueFormat } from '../quantization.js'
import { activationFormat, isStatic, weightFormat } from '../recipe/levels.js'
import { type Fusion, type Fusions, findFusions } from './fusions.js'
import { withGain } from './gain.js'
import { findQuantizedValues } from './quantized-values.js'
import { signProducts } from './sign-products.js'
import { FLOAT_ACTIVATIONS, RUNNING_ACTIVATIONS, SIGN_ACTIVATIONS, withWeightOnly } from './weight-only.js'

export const assignFormats: Method = (quantization) => assigned(quantization)

export function assigned(quantization: Quantization): Quantization {
  const { graph, inference, settingsOf, pins, withdrawn } = quantization
  const signs = signProducts(graph, settingsOf)
  const excluded = (node: Node) => {
    const { exclude, activations } = settingsOf(node)
    if (exclude) return 'excluded by the recipe'
    if (!isStatic(activations))
      return activations.type === 'dynamic' ? RUNNING_ACTIVATIONS : FLOAT_ACTIVATIONS
    const reason = pins.get(node.name) ?? withdrawn.get(node.name)
    return reason ?? (signs.has(node.name) ? SIGN_ACTIVATIONS : undefined)
  }
  const wide = (node: Node) => {
    const { activations } = settingsOf(node)
    return isStatic(activations) && FORMATS[activations.type].bits > 8
  }
  const possible = findFusions(graph, inference, excluded, wide)
  const gaining = withGain(graph, inference, possible, (node) => settingsOf(node).forced)
  return withWeightOnly(withFusions(quantization, gaining), signs)
}

/** The quantization with these integer nodes, and the formats of what they read and make. */
function withFusions(quantization: Quantization, fusions: Fusions): Quantization {
  const { graph, settingsOf } = quantization
  const values = findQuantizedValues(graph, fusions.integer)
  const producers = producersOf(graph)
  const readers = readersOf(fusions)
  const valueFormats = new Map<string, ValueFormat>()
  for (const root of [...values.fixed.keys(), ...values.observed]) {
    const producer = values.values.get(root)?.maker?.node ?? producers.get(root)
    valueFormats.set(root, valueFormat(quantization, producer, readers.get(root)))
  }
  const weightFormats = new Map<Fusion, Format>()
  for (const fusion of fusions.integer) {
    if (fusion.weights !== undefined) weightFormats.set(fusion, weightFormat(settingsOf(fusion.node).weights))
  }
  return { ...quantization, fusions, values, valueFormats, weightFormats }
}

/** The first integer node that reads each value. */
function readersOf({ integer }: Fusions): ReadonlyMap<string, Node> {
  const readers = new Map<string, Node>()
  for (const { node, inputs } of integer) {
    for (const name of inputs.map((i) => node.inputs[i] ?? '')) {
      if (!readers.has(name)) readers.set(name, node)
    }
  }
  return readers
}

/** How the values that a node makes are quantized; undefined: an input of the graph. Float ones are quantized as their reader wants. */
export function valueFormat(
  { recipe, settingsOf }: Quantization,
  node: Node | undefined,
  reader?: Node,
): ValueFormat {
  const wanted = [node ? settingsOf(node) : recipe, ...(reader ? [settingsOf(reader)] : [])]
  for (const { activations: settings } of wanted) {
    if (isStatic(settings))
      return { format: activationFormat(settings), symmetric: settings.symmetric, settings }
  }
  throw new RangeError(`no format for the values of ${node?.name ?? 'an input'}`)
}
