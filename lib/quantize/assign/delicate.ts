/**
 * Float arithmetic that magnifies what it is given: a divisor, a root, a logarithm, a power, an angle. An error of half a
 * level in such an operand, which no product gains anything by, can be an error of any size in the result.
 */
import type { Graph, Node } from '../../graph/graph.js'
import { producersOf, usesOf } from '../../graph/graph.js'
import type { Inference } from '../../ops/core/infer.js'
import { type Fusion, isProduct } from './fusions.js'

/** Inputs that are delicate, by operator. */
const DELICATE: Readonly<Record<string, readonly number[]>> = {
  Div: [1],
  Mod: [0, 1],
  Reciprocal: [0],
  Sqrt: [0],
  Log: [0],
  Pow: [0, 1],
  ReduceLogSum: [0],
  ReduceL2: [0],
  LpNormalization: [0],
  // A residual stream has a few elements a hundred times as large as all others, which the scale after the norm makes small.
  MeanVarianceNormalization: [0],
  LayerNormalization: [0],
  RMSNormalization: [0],
  SimplifiedLayerNormalization: [0],
  SkipLayerNormalization: [0, 1],
  SkipSimplifiedLayerNormalization: [0, 1],
  InstanceNormalization: [0],
  GroupNormalization: [0],
  Asin: [0],
  Acos: [0],
  Acosh: [0],
  Atanh: [0],
  Floor: [0],
  Ceil: [0],
  Round: [0],
  Sin: [0],
  Cos: [0],
  Tan: [0],
}

/**
 * What must see unrounded products as well: an angle is read modulo a full turn, a logarithm shows the smallest parts of a
 * spectrum as well as the largest. So many products before them at most.
 */
const THROUGH_PRODUCTS = new Set(['Sin', 'Cos', 'Tan', 'Mod', 'Log', 'ReduceLogSum'])
const MOST_PRODUCTS = 3

/** After them the scale of what came before is gone: what lies between these and a logarithm or an angle is a spectrum, a phase. */
const LEVELLING =
  /^(Exp|Softmax|Sigmoid|HardSigmoid|Tanh|Relu|LeakyRelu|PRelu|Elu|Selu|Celu|Gelu|QuickGelu|Swish|HardSwish|Mish|Softplus|Softsign|Erf|Div|\w*Normalization)$/

/**
 * Fusions whose results reach a delicate operand before any product, and which node has it. A value that a product reads is
 * quantized for that, so the search ends there.
 */
export function delicateFusions(
  graph: Graph,
  info: Inference,
  fusions: readonly Fusion[],
): ReadonlyMap<Fusion, Node> {
  return new Search(graph, info, fusions).run()
}

class Search {
  private readonly producers: ReadonlyMap<string, Node>
  private readonly byNode = new Map<Node, Fusion>()
  private readonly found = new Map<Fusion, Node>()

  constructor(
    private readonly graph: Graph,
    private readonly info: Inference,
    private readonly fusions: readonly Fusion[],
  ) {
    this.producers = producersOf(graph)
    for (const fusion of fusions) {
      for (const n of [fusion.node, ...fusion.fused]) this.byNode.set(n, fusion)
    }
  }

  /** What a product reads is quantized for it no longer once the product is found: the search goes on from there. */
  run(): ReadonlyMap<Fusion, Node> {
    for (let before = -1; before < this.found.size; ) {
      before = this.found.size
      this.searchOnce(this.readByProducts())
    }
    return this.found
  }

  private searchOnce(readByProducts: ReadonlySet<string>): void {
    const seen = new Map<string, number>()
    const pending: Wanted[] = []
    for (const node of this.graph.nodes) {
      if (node.domain !== '' || this.isIntegerProduct(node)) continue
      for (const i of DELICATE[node.opType] ?? []) {
        const products = THROUGH_PRODUCTS.has(node.opType) ? MOST_PRODUCTS : 0
        pending.push({ value: node.inputs[i] ?? '', reader: node, products })
      }
    }
    for (let next = pending.pop(); next; next = pending.pop()) {
      const { value, reader, products } = next
      const maker = this.producers.get(value)
      if (!maker || this.info.values.has(value) || (seen.get(value) ?? -1) >= products) continue
      seen.set(value, products)
      const fusion = this.byNode.get(maker)
      const levelling = [maker, ...(fusion?.fused ?? [])].some(({ opType }) => LEVELLING.test(opType))
      if (levelling && products > 0) continue
      if (products === 0 && (this.isIntegerProduct(maker) || readByProducts.has(value))) continue
      if (fusion && !this.found.has(fusion)) this.found.set(fusion, reader)
      const left = fusion && isProduct(fusion) ? products - 1 : products
      for (const v of usesOf(fusion?.node ?? maker)) pending.push({ value: v, reader, products: left })
    }
  }

  private isIntegerProduct(node: Node): boolean {
    const fusion = this.byNode.get(node)
    return fusion !== undefined && isProduct(fusion) && !this.found.has(fusion)
  }

  private readByProducts(): ReadonlySet<string> {
    const products = this.fusions.filter(({ node }) => this.isIntegerProduct(node))
    return new Set(products.flatMap(({ node, inputs }) => inputs.map((i) => node.inputs[i] ?? '')))
  }
}

/** A value that `reader` magnifies; `products`: how many products before it count as well. */
interface Wanted {
  readonly value: string
  readonly reader: Node
  readonly products: number
}
