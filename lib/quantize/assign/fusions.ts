/**
 * Which nodes could become integer. A fusion is a node with a quantize rule and the nodes after it that one integer kernel
 * computes with it, up to the QuantizeLinear: a bias added after a MatMul, a Relu or Clip, and after a function of one
 * element further ones (one table for all).
 */
import { consumersOf, type Graph, type Node } from '../../graph/graph.js'
import type { Inference } from '../../ops/core/infer.js'
import type { QuantizeRule } from '../../ops/core/opdef.js'
import { findOp } from '../../ops/registry.js'
import { isBiasAdd, isClamp, scaledOperand } from './fusable.js'

export interface Fusion {
  readonly node: Node
  readonly rule: QuantizeRule
  /** Positions of the inputs that are taken quantized, weights that are constants excluded. */
  readonly inputs: readonly number[]
  /** The nodes after `node` that belong to it, in order. */
  readonly fused: readonly Node[]
  /** The values it makes: the outputs of its last node. */
  readonly results: readonly string[]
  /** Weighted: its weights are a constant, to be quantized with it. */
  readonly weights?: string
}

export interface Fusions {
  /** In the order of the graph. */
  readonly integer: readonly Fusion[]
  /** Why every other node that computes floats stays in float, by its name. */
  readonly float: ReadonlyMap<string, string>
}

const REASON = {
  noRule: 'has no integer form',
  types: 'does not compute float32 from float32',
  rank: 'the number of dimensions of its input is not known',
  constantData: 'its data is a constant',
  biasShape: 'its bias is not a constant with one number per channel',
  alpha: 'alpha is not positive',
  weights: 'its weights are not constants',
  wide: 'steps between products have no integers of 16 bits',
} as const

/** `excluded`: why a node stays in float whatever it is; undefined: it need not. `wide`: values of the node have 16 bits. */
export function findFusions(
  graph: Graph,
  info: Inference,
  excluded: (node: Node) => string | undefined,
  wide: (node: Node) => boolean = () => false,
): Fusions {
  return new FusionFinder(graph, info, excluded, wide).run()
}

class FusionFinder {
  private readonly consumers: Map<string, Node[]>
  private readonly outputs: Set<string>
  private readonly float = new Map<string, string>()
  private readonly byNode = new Map<Node, Fusion>()
  private readonly fused = new Set<Node>()

  constructor(
    private readonly graph: Graph,
    private readonly info: Inference,
    private readonly excluded: (node: Node) => string | undefined,
    private readonly wide: (node: Node) => boolean,
  ) {
    this.consumers = consumersOf(graph)
    this.outputs = new Set(graph.outputs)
  }

  run(): Fusions {
    for (const node of this.graph.nodes) {
      if (this.fused.has(node) || !this.makesFloats(node)) continue
      const found = this.fusionOf(node)
      if (typeof found === 'string') this.float.set(node.name, found)
      else this.byNode.set(node, found)
    }
    return { integer: [...this.byNode.values()], float: this.float }
  }

  /** Shape arithmetic and integer data are nobody's business here. */
  private makesFloats(node: Node): boolean {
    return node.outputs.some(
      (v) => v !== '' && this.info.types.get(v)?.dtype === 'float32' && !this.isSize(v),
    )
  }

  private isSize(value: string): boolean {
    return this.info.values.has(value)
  }

  private fusionOf(node: Node): Fusion | string {
    const reason = this.excluded(node)
    if (reason !== undefined) return reason
    const rule = findOp(node.domain, node.opType)?.quantize
    if (!rule) return REASON.noRule
    if (rule.kind === 'activation' && this.wide(node)) return REASON.wide
    const weights = rule.kind === 'weighted' ? this.constantWeights(node, rule.weight) : undefined
    const scaled = scaledOperand(this.graph, this.info, node)
    const inputs = scaled >= 0 ? [scaled] : this.quantizedInputs(node, rule, weights)
    const values = inputs.map((i) => node.inputs[i] ?? '')
    const floats = [
      ...values,
      ...(weights === undefined ? [] : [weights]),
      ...node.outputs.filter((v) => v !== ''),
    ]
    if (!floats.every((v) => this.info.types.get(v)?.dtype === 'float32')) return REASON.types
    if (!floats.every((v) => this.info.types.get(v)?.shape !== undefined)) return REASON.rank
    if (values.every((v) => this.graph.constants.has(v))) return REASON.constantData
    if (rule.kind === 'shared' && this.graph.constants.has(values[0] ?? '')) return REASON.constantData
    if (rule.kind === 'recurrent') {
      const constant = rule.weights.every(
        (i) => this.graph.constants.get(node.inputs[i] ?? '')?.dtype === 'float32',
      )
      // What it makes is float: to those who read it, it is a float node.
      return constant ? { node, rule, inputs, fused: [], results: [] } : REASON.weights
    }
    if (rule.kind === 'weighted') {
      const problem = this.biasProblem(node, rule)
      if (problem !== undefined) return problem
    }
    const fused = this.fuse(node, rule, values)
    const last = fused.at(-1) ?? node
    return { node, rule, inputs, fused, results: last.outputs.filter((v) => v !== ''), weights }
  }

  private constantWeights(node: Node, position: number): string | undefined {
    const name = node.inputs[position] ?? ''
    return this.graph.constants.has(name) ? name : undefined
  }

  private quantizedInputs(node: Node, rule: QuantizeRule, weights: string | undefined): number[] {
    if (rule.kind === 'weighted') return weights === undefined ? [0, rule.weight] : [0]
    if (rule.kind === 'recurrent') return [0]
    if (rule.inputs) return rule.inputs.filter((i) => (node.inputs[i] ?? '') !== '')
    if (rule.kind === 'shared') return [0]
    return node.inputs.flatMap((v, i) => (v !== '' ? [i] : []))
  }

  private biasProblem(node: Node, rule: QuantizeRule & { kind: 'weighted' }): string | undefined {
    const alpha = node.attributes.alpha
    if (alpha?.kind === 'float' && !(alpha.value > 0)) return REASON.alpha
    const name = rule.bias === undefined ? '' : (node.inputs[rule.bias] ?? '')
    if (name === '') return undefined
    const bias = this.graph.constants.get(name)
    const channels = this.info.types.get(node.outputs[0] ?? '')?.shape?.[
      outputChannelAxis(this.info, node, rule)
    ]
    const elements = bias?.dims.reduce((p, d) => p * d, 1)
    const last = bias?.dims.at(-1) ?? 1
    const fits = elements === 1 || (elements === channels && last === channels)
    return bias?.dtype === 'float32' && fits ? undefined : REASON.biasShape
  }

  /** The chain of sole consumers that the fusion takes in. */
  private fuse(node: Node, rule: QuantizeRule, values: readonly string[]): Node[] {
    const chain: Node[] = []
    const products = rule.kind === 'weighted'
    const table = this.isTable(node)
    // Elementwise operators of two values, such as a residual Add, take bounds too.
    if (!products && !table && !(rule.kind === 'activation' && values.length > 1)) return chain
    let value = node.outputs[0] ?? ''
    for (;;) {
      const [next, ...others] = this.consumers.get(value) ?? []
      if (!next || others.length > 0 || this.outputs.has(value) || this.excluded(next) !== undefined) {
        return chain
      }
      const bias = products && rule.bias === undefined && chain.length === 0
      const fits =
        isClamp(this.graph, next, value) ||
        (bias && isBiasAdd(this.graph, this.info, next, value)) ||
        (table && this.isTable(next))
      if (!fits) return chain
      chain.push(next)
      this.fused.add(next)
      value = next.outputs[0] ?? ''
    }
  }

  /** A function of one element: a table, alone or with others. */
  private isTable(node: Node): boolean {
    const rule = findOp(node.domain, node.opType)?.quantize
    if (scaledOperand(this.graph, this.info, node) >= 0) return true
    const bounds = node.inputs.slice(1).every((name) => name === '' || this.graph.constants.has(name))
    return rule?.kind === 'activation' && rule.unary === true && bounds
  }
}

/** What quantization is for; all else follows it. */
export function isProduct({ rule }: Pick<Fusion, 'rule'>): boolean {
  return rule.kind === 'weighted' || rule.kind === 'recurrent'
}

/** Axis of the output along which the weights have their channels: 1 after spatial weights, else the last. */
export function outputChannelAxis(
  info: Inference,
  node: Node,
  rule: QuantizeRule & { kind: 'weighted' },
): number {
  const weightRank = info.types.get(node.inputs[rule.weight] ?? '')?.shape?.length ?? 0
  const rank = info.types.get(node.outputs[0] ?? '')?.shape?.length ?? 0
  return rule.bias !== undefined && weightRank > 2 ? 1 : rank - 1
}
