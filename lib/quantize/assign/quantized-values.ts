/** Which values are quantized, and which of them share one scale and zero point. */

import { consumersOf, type Graph, type Node } from '../../graph/graph.js'
import type { Range } from '../../statistics/summary.js'
import type { Fusion } from './fusions.js'

export interface QuantizedValue {
  /** The value whose parameters it has: itself, or the one that was moved here. */
  readonly root: string
  /** The integer fusion that makes it; undefined: a graph input or a float node. */
  readonly maker: Fusion | undefined
}

export interface QuantizedValues {
  /** By name, in the order in which they are made; constants excluded. */
  readonly values: ReadonlyMap<string, QuantizedValue>
  /** Roots whose range the data tells. */
  readonly observed: readonly string[]
  /** Roots whose range the function tells. */
  readonly fixed: ReadonlyMap<string, Range>
  /** Of roots that only functions with flat ends read: what lies beyond these ends makes no difference. */
  readonly domains: ReadonlyMap<string, Range>
}

export function findQuantizedValues(graph: Graph, fusions: readonly Fusion[]): QuantizedValues {
  const wanted = new Set<string>()
  for (const { node, inputs } of fusions) for (const i of inputs) wanted.add(node.inputs[i] ?? '')
  const values = new Map<string, QuantizedValue>()
  const makers = new Map<string, Fusion>()
  for (const fusion of fusions) {
    for (const result of fusion.results) makers.set(result, fusion)
  }
  const made = [...graph.inputs, ...graph.nodes.flatMap((n) => n.outputs)]
  for (const name of made) {
    const maker = makers.get(name)
    // A product can give float to float nodes; all else computes in integers only if its output is quantized.
    if (!wanted.has(name) && (!maker || maker.rule.kind === 'weighted')) continue
    values.set(name, { root: rootOf(name, maker, values), maker })
  }
  const roots = new Set([...values.values()].map((v) => v.root))
  const fixed = new Map<string, Range>()
  for (const root of roots) {
    const maker = makers.get(root)
    if (maker?.rule.kind === 'activation' && maker.rule.range && maker.fused.length === 0) {
      fixed.set(root, maker.rule.range)
    }
  }
  const observed = [...roots].filter((root) => !fixed.has(root))
  return { values, fixed, observed, domains: findDomains(graph, fusions, observed) }
}

function findDomains(
  graph: Graph,
  fusions: readonly Fusion[],
  roots: readonly string[],
): ReadonlyMap<string, Range> {
  const consumers = consumersOf(graph)
  const byNode = new Map<Node, Fusion>(fusions.map((u) => [u.node, u]))
  const domains = new Map<string, Range>()
  for (const root of roots) {
    const readers = graph.outputs.includes(root) ? [] : (consumers.get(root) ?? [])
    const ends = readers.flatMap((node) => {
      const rule = byNode.get(node)?.rule
      return rule?.kind === 'activation' && rule.domain ? [rule.domain] : []
    })
    if (ends.length === 0 || ends.length < readers.length) continue
    domains.set(root, [Math.min(...ends.map((e) => e[0])), Math.max(...ends.map((e) => e[1]))])
  }
  return domains
}

function rootOf(
  name: string,
  maker: Fusion | undefined,
  values: ReadonlyMap<string, QuantizedValue>,
): string {
  if (maker?.rule.kind !== 'shared') return name
  const source = maker.node.inputs[maker.inputs[0] ?? 0] ?? ''
  return values.get(source)?.root ?? name
}
