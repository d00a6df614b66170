/**
 * A scale or shift per channel goes into the product before it:
 *
 *     Conv(x, w) -> Mul(k)                             =>  Conv(x, w * k)
 *     Conv(x, w, b) -> Add(c)                          =>  Conv(x, w, b + c)
 *     Conv(x, w, b) -> BatchNormalization(g, c, m, v)  =>  Conv(x, w * k, (b - m) * k + c), k = g / sqrt(v + epsilon)
 *
 * also for ConvTranspose and Gemm (Jacob et al. 2018, section 3.2). The arithmetic is written as nodes on constants,
 * which folding evaluates on the engine.
 */
import type { Attribute, ConstantTensor, Graph, Node } from '../graph/graph.js'
import { consumersOf, floatAttribute, intAttribute, resultsOf } from '../graph/graph.js'

export function foldScale(graph: Graph): Graph {
  return new ScaleFolding(graph).run()
}

/** What one node does to its input, per channel: x * factor + offset; names of constants of [channels] or scalars. */
interface Affine {
  readonly factor?: string
  readonly offset?: string
  /** Constants and nodes that make factor and offset. */
  readonly nodes: readonly Node[]
}

class ScaleFolding {
  private readonly consumers: ReadonlyMap<string, readonly Node[]>
  private readonly constants: Map<string, ConstantTensor>
  /** Names of values that are constant once the new nodes are folded. */
  private readonly derived = new Set<string>()
  private changed = false

  constructor(private readonly graph: Graph) {
    this.constants = new Map(graph.constants)
    this.consumers = consumersOf(graph)
  }

  run(): Graph {
    const gone = new Set<Node>()
    const nodes: Node[] = []
    for (const node of this.graph.nodes) {
      if (gone.has(node)) continue
      nodes.push(...this.foldAfter(node, gone))
    }
    return this.changed ? { ...this.graph, nodes, constants: this.constants } : this.graph
  }

  /** Takes every foldable follower into `node`; the nodes that compute its new weights come before it. */
  private foldAfter(node: Node, gone: Set<Node>): Node[] {
    const made: Node[] = []
    let current = node
    for (;;) {
      const axis = channelAxis(current)
      const channels = axis === undefined ? undefined : this.weights(current)?.dims[axis]
      const output = current.outputs[0] ?? ''
      const followers = this.consumers.get(output) ?? []
      const next = followers[0]
      if (axis === undefined || channels === undefined || followers.length !== 1 || !next) break
      if (resultsOf(this.graph).includes(output)) break
      const affine = this.affineOf(next, output, channels, rankOf(current, this.weights(current)))
      if (!affine) break
      const folded = this.apply(current, next, affine, axis)
      made.push(...affine.nodes, ...folded.nodes)
      current = folded.node
      gone.add(next)
      this.changed = true
    }
    return [...made, current]
  }

  private weights(node: Node): ConstantTensor | undefined {
    const name = node.inputs[1] ?? ''
    return this.constants.get(this.derived.has(name) ? (this.originOf.get(name) ?? '') : name)
  }
  private readonly originOf = new Map<string, string>()

  private affineOf(next: Node, output: string, channels: number, rank: number): Affine | undefined {
    if (next.opType === 'BatchNormalization' && next.domain === '') return this.batchNorm(next, output)
    if ((next.opType !== 'Mul' && next.opType !== 'Add') || next.domain !== '') return undefined
    const other = next.inputs[0] === output ? next.inputs[1] : next.inputs[0]
    const constant = other === undefined || other === output ? undefined : this.constants.get(other)
    if (constant?.dtype !== 'float32' || !isPerChannel(constant.dims, channels, rank)) return undefined
    const flat = `${next.name}:vector`
    const elements = constant.dims.reduce((p, d) => p * d, 1)
    const nodes = [this.reshape(flat, other as string, [elements])]
    return next.opType === 'Mul' ? { factor: flat, nodes } : { offset: flat, nodes }
  }

  private batchNorm(next: Node, output: string): Affine | undefined {
    const [x, gamma, beta, mean, variance] = next.inputs
    const constant = [gamma, beta, mean, variance].every(
      (name) => this.constants.get(name ?? '')?.dtype === 'float32',
    )
    if (x !== output || !constant || next.outputs.slice(1).some((o) => o !== '')) return undefined
    if (intAttribute(next, 'training_mode', 0) !== 0) return undefined
    const name = (part: string) => `${next.name}:${part}`
    this.constants.set(name('epsilon'), scalar(floatAttribute(next, 'epsilon', 1e-5)))
    return {
      factor: name('factor'),
      offset: name('offset'),
      nodes: [
        binary('Add', variance as string, name('epsilon'), name('shifted')),
        simple('Sqrt', [name('shifted')], name('deviation')),
        binary('Div', gamma as string, name('deviation'), name('factor')),
        binary('Mul', mean as string, name('factor'), name('scaled_mean')),
        binary('Sub', beta as string, name('scaled_mean'), name('offset')),
      ],
    }
  }

  private apply(
    node: Node,
    next: Node,
    { factor, offset }: Affine,
    axis: number,
  ): { nodes: Node[]; node: Node } {
    const nodes: Node[] = []
    const inputs = [...node.inputs]
    const weights = this.weights(node) as ConstantTensor
    const name = (part: string) => `${next.name}:${part}`
    if (factor) {
      const shape = weights.dims.map((_, i) => (i === axis ? -1 : 1))
      nodes.push(this.reshape(name('column'), factor, shape))
      nodes.push(binary('Mul', inputs[1] as string, name('column'), name('weight')))
      this.originOf.set(name('weight'), this.originOf.get(inputs[1] as string) ?? (inputs[1] as string))
      this.derived.add(name('weight'))
      inputs[1] = name('weight')
    }
    const bias = inputs[2] ?? ''
    let current = bias
    if (factor && bias !== '') {
      nodes.push(binary('Mul', bias, factor, name('scaled_bias')))
      current = name('scaled_bias')
    }
    if (offset) {
      if (current === '') {
        const channels = weights.dims[axis] as number
        this.constants.set(name('zeros'), vector(new Float32Array(channels)))
        current = name('zeros')
      }
      nodes.push(binary('Add', current, offset, name('bias')))
      current = name('bias')
    }
    if (current !== '') inputs[2] = current
    const origin = [...(node.origin ?? [node.name]), ...(next.origin ?? [next.name])]
    return { nodes, node: { ...node, inputs, outputs: next.outputs, origin } }
  }

  private reshape(output: string, input: string, shape: readonly number[]): Node {
    const data = new Uint8Array(BigInt64Array.from(shape, (d) => BigInt(d)).buffer as ArrayBuffer)
    this.constants.set(`${output}:shape`, { dtype: 'int64', dims: [shape.length], data })
    return simple('Reshape', [input, `${output}:shape`], output)
  }
}

/** Axis of the output channel in the weights of a node that can take a scale in; undefined: it cannot. */
export function channelAxis(node: Node): number | undefined {
  if (node.domain !== '' || node.outputs.length !== 1) return undefined
  switch (node.opType) {
    case 'Conv':
      return 0
    case 'ConvTranspose':
      return intAttribute(node, 'group', 1) === 1 ? 1 : undefined
    case 'Gemm': {
      const plain = floatAttribute(node, 'alpha', 1) === 1 && floatAttribute(node, 'beta', 1) === 1
      return plain ? (intAttribute(node, 'transB', 0) === 1 ? 0 : 1) : undefined
    }
    default:
      return undefined
  }
}

function rankOf(node: Node, weights: ConstantTensor | undefined): number {
  return node.opType === 'Gemm' ? 2 : (weights?.dims.length ?? 0)
}

/** [channels] along axis 1 of a tensor of this rank, or a single element. */
function isPerChannel(dims: readonly number[], channels: number, rank: number): boolean {
  if (dims.length > rank) return false
  const padded = [...Array<number>(rank - dims.length).fill(1), ...dims]
  return padded.every((d, axis) => d === 1 || (axis === 1 && d === channels))
}

function simple(opType: string, inputs: readonly string[], output: string): Node {
  const attributes: Readonly<Record<string, Attribute>> = {}
  return { name: output, opType, domain: '', inputs, outputs: [output], attributes }
}

function binary(opType: string, a: string, b: string, output: string): Node {
  return simple(opType, [a, b], output)
}

function vector(values: Float32Array): ConstantTensor {
  return { dtype: 'float32', dims: [values.length], data: new Uint8Array(values.buffer as ArrayBuffer) }
}

function scalar(value: number): ConstantTensor {
  return { dtype: 'float32', dims: [], data: new Uint8Array(Float32Array.of(value).buffer as ArrayBuffer) }
}
