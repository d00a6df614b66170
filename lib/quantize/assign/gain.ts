/**
 * Assigns by gain. Integer products are what quantization is for; a step between two of them follows where that saves more
 * than it costs, and nothing else is quantized. Which of them follow is one cheapest cut (`min-cut.ts`) over all.
 */
import { consumersOf, type Graph, type Node, usesOf } from '../../graph/graph.js'
import type { Inference } from '../../ops/core/infer.js'
import { dequantizeBytes, floatOutputBytes, fusionBytes } from './cost.js'
import { delicateFusions } from './delicate.js'
import { dividedOperand } from './fusable.js'
import { type Fusion, type Fusions, isProduct } from './fusions.js'
import { Network } from './min-cut.js'

const REASON = {
  outside: 'does not lie between two integer products',
  upstream: 'reads what is computed in float',
  cost: 'costs less in float than the conversions around it',
} as const

/** Of the fusions that are possible those that gain something, and those that are `forced`; for the others, why not. */
export function withGain(
  graph: Graph,
  info: Inference,
  { integer, float }: Fusions,
  forced: (node: Node) => boolean = () => false,
): Fusions {
  const reasons = new Map(float)
  const drop = (fusion: Fusion, reason: string) => {
    for (const n of [fusion.node, ...fusion.fused]) reasons.set(n.name, reason)
  }
  const delicate = delicateFusions(graph, info, integer)
  const steady = integer.filter((fusion) => {
    const reader = forced(fusion.node) ? undefined : delicate.get(fusion)
    if (reader) drop(fusion, `on the way into ${reader.opType} '${reader.name}', which magnifies errors`)
    return !reader
  })
  const between = betweenProducts(graph, steady)
  const inner = steady.filter((fusion) => {
    const keep = isProduct(fusion) || between.has(fusion.node) || forced(fusion.node)
    if (!keep) drop(fusion, REASON.outside)
    return keep
  })
  const choice = new Choice(graph, info, inner, (f) => isProduct(f) || forced(f.node))
  const kept = choice.kept()
  for (const fusion of inner) {
    if (!kept.has(fusion)) drop(fusion, choice.isReachable(fusion, kept) ? REASON.cost : REASON.upstream)
  }
  return { integer: inner.filter((fusion) => kept.has(fusion)), float: reasons }
}

/** Nodes with an integer product before them and one after them, whatever lies between. */
function betweenProducts(graph: Graph, fusions: readonly Fusion[]): ReadonlySet<Node> {
  const products = new Set(fusions.filter(isProduct).map(({ node }) => node))
  const after = new Set<string>()
  const nodesAfter = new Set<Node>()
  for (const node of graph.nodes) {
    if (usesOf(node).some((v) => after.has(v))) nodesAfter.add(node)
    if (nodesAfter.has(node) || products.has(node)) for (const v of node.outputs) after.add(v)
  }
  const before = new Set<string>()
  const between = new Set<Node>()
  for (const node of [...graph.nodes].reverse()) {
    const leads = node.outputs.some((v) => before.has(v))
    if (leads && nodesAfter.has(node)) between.add(node)
    if (leads || products.has(node)) for (const v of usesOf(node)) before.add(v)
  }
  return between
}

/**
 * The choice for all steps at once. On the side of the source a step computes in integers. It must not where what it reads
 * is made in float for nobody else's sake; a value that is integer and has float readers costs one conversion.
 */
class Choice {
  private readonly network = new Network()
  private readonly vertices = new Map<Fusion, number>()
  private readonly makers = new Map<string, Fusion>()
  /** Values that are quantized in any case. */
  private readonly readAnyway = new Set<string>()

  constructor(
    private readonly graph: Graph,
    private readonly info: Inference,
    private readonly fusions: readonly Fusion[],
    private readonly isFixed: (fusion: Fusion) => boolean,
  ) {
    for (const fusion of fusions) {
      this.vertices.set(fusion, isFixed(fusion) ? Network.source : this.network.addVertex())
      for (const v of fusion.results) this.makers.set(v, fusion)
      if (isFixed(fusion)) for (const v of this.read(fusion)) this.readAnyway.add(v)
    }
    for (const node of graph.nodes) {
      const maker = this.makers.get(dividedOperand(graph, node) ?? '')
      if (maker && isProduct(maker)) this.makers.set(node.outputs[0] ?? '', maker)
    }
  }

  kept(): ReadonlySet<Fusion> {
    for (const fusion of this.fusions) {
      if (!this.isFixed(fusion)) this.addStep(fusion)
    }
    this.addConversions()
    const integer = this.network.cut()
    return new Set(this.fusions.filter((f) => integer.has(this.vertices.get(f) as number)))
  }

  /** Whether all that a step reads is integer. */
  isReachable(fusion: Fusion, kept: ReadonlySet<Fusion>): boolean {
    return this.read(fusion).every((v) => {
      const maker = this.makers.get(v)
      return this.readAnyway.has(v) || (maker !== undefined && kept.has(maker))
    })
  }

  private read({ node, inputs }: Fusion): string[] {
    return inputs.map((i) => node.inputs[i] ?? '').filter((v) => !this.graph.constants.has(v))
  }

  private addStep(fusion: Fusion): void {
    const vertex = this.vertices.get(fusion) as number
    const { integer, float } = fusionBytes(this.info, fusion)
    this.network.addArc(Network.source, vertex, float)
    this.network.addArc(vertex, Network.sink, integer)
    for (const v of this.read(fusion)) {
      if (this.readAnyway.has(v)) continue
      const maker = this.makers.get(v)
      const from = maker ? (this.vertices.get(maker) as number) : Network.sink
      if (from !== Network.source) this.network.addArc(vertex, from, Number.POSITIVE_INFINITY)
    }
  }

  private addConversions(): void {
    const consumers = consumersOf(this.graph)
    const outputs = new Set(this.graph.outputs)
    const readers = new Map<Node, Fusion>()
    for (const fusion of this.fusions) readers.set(fusion.node, fusion)
    for (const [value, maker] of this.makers) {
      const nodes = consumers.get(value) ?? []
      const conversion = this.network.addVertex()
      const product = isProduct(maker) && !this.readAnyway.has(value)
      const cost = product ? floatOutputBytes(this.info, value) : dequantizeBytes(this.info, value)
      this.network.addArc(this.vertices.get(maker) as number, conversion, cost)
      for (const node of nodes) {
        const reader = readers.get(node)
        const integer = reader?.inputs.some((i) => node.inputs[i] === value)
        const to = integer && reader ? (this.vertices.get(reader) as number) : Network.sink
        if (to !== Network.source) this.network.addArc(conversion, to, Number.POSITIVE_INFINITY)
      }
      if (outputs.has(value)) this.network.addArc(conversion, Network.sink, Number.POSITIVE_INFINITY)
    }
  }
}
