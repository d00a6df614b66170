/**
 * Products of signs: activations that are -a, 0 and a, weights that are -s and s in each channel. The file keeps both as they are, with
 * a bit for each weight: a QuantizeLinear would say nothing more of the activations, and a runtime counts bits.
 */
import type { Graph, Node } from '../../graph/graph.js'
import { GraphEditor } from '../../graph/rewrite.js'
import { signSource } from '../../passes/sign-values.js'
import { signWeights } from '../../passes/sign-weights.js'
import type { NodeSettings } from '../recipe/settings.js'

/** The names of those whose weights are to be signs. */
export function signProducts(graph: Graph, settingsOf: (node: Node) => NodeSettings): ReadonlySet<string> {
  const asked = graph.nodes.filter((node) => {
    const { weights, exclude } = settingsOf(node)
    return weights.type === 'w1' && !exclude
  })
  if (asked.length === 0) return new Set()
  const editor = new GraphEditor(graph)
  const found = asked.filter(
    (node) => signWeights(editor, node) && signSource(editor, node.inputs[0] as string),
  )
  return new Set(found.map(({ name }) => name))
}
