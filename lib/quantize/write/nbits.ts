/** Products and tables in the operators of onnxruntime: MatMulNBits and GatherBlockQuantized. */
import type { Attribute, Graph, Node } from '../../graph/graph.js'
import type { WeightOnly } from '../assign/weight-choice.js'
import type { PackedWeights } from '../round/packed-weights.js'
import type { ConstantPool } from './constant-pool.js'
import { addBias, constantBias } from './gemm-bias.js'
import type { QdqNodes } from './nodes.js'

/** What accuracy_level says: int8 rows in blocks, or float32. */
const LEVELS = { block: 4, float: 1 } as const

export interface NBitsNode {
  /** The float node, its inputs those of the written graph. */
  readonly node: Node
  readonly chosen: WeightOnly
  readonly packed: PackedWeights
  readonly activations: keyof typeof LEVELS
}

const int = (value: number): Attribute => ({ kind: 'int', value })

/** Writes them; of the float graph it takes the constants. */
export class NBitsWriter {
  constructor(
    private readonly graph: Graph,
    private readonly nodes: QdqNodes,
    private readonly pool: ConstantPool,
  ) {}

  /** A node that computes what the float one does, under its name and outputs, and nodes for a bias that it cannot take. */
  write(asked: NBitsNode): void {
    if (asked.node.opType === 'Gather') this.gather(asked)
    else this.product(asked)
  }

  private constants({ levels, scales, zeroPoints }: PackedWeights) {
    const zero = zeroPoints ? [this.pool.share('z', zeroPoints)] : []
    return { levels: this.pool.share('w', levels), scales: this.pool.share('s', scales), zero }
  }

  private gather({ node, chosen, packed }: NBitsNode): void {
    const { levels, scales, zero } = this.constants(packed)
    const attributes = {
      gather_axis: int(0),
      quantize_axis: int(1),
      block_size: int(blockOf(chosen)),
      bits: int(chosen.format.bits),
    }
    const inputs = [levels, node.inputs[1] as string, scales, ...zero]
    this.nodes.push({ ...node, opType: 'GatherBlockQuantized', domain: 'com.microsoft', inputs, attributes })
  }

  private product({ node, chosen, packed, activations }: NBitsNode): void {
    const { levels, scales, zero } = this.constants(packed)
    const [n = 0] = packed.scales.dims
    const { weights, summed = 0, format } = chosen
    const attributes = {
      K: int(this.graph.constants.get(weights)?.dims[summed] as number),
      N: int(n),
      bits: int(format.bits),
      block_size: int(blockOf(chosen)),
      accuracy_level: int(LEVELS[activations]),
    }
    const [a = '', , c = ''] = node.inputs
    const bias = node.opType === 'Gemm' ? constantBias(this.graph, this.pool, node, n) : undefined
    // Zero points and an order of rows may be left out before a bias.
    const inputs = bias ? [a, levels, scales, zero[0] ?? '', '', bias] : [a, levels, scales, ...zero]
    const added = node.opType === 'Gemm' && c !== '' && !bias
    const [y = ''] = node.outputs
    const product = added ? this.nodes.fresh('m') : y
    const made = { ...node, opType: 'MatMulNBits', domain: 'com.microsoft', inputs, attributes }
    this.nodes.push({ ...made, outputs: [product] })
    if (added) addBias(this.nodes, this.pool, node, product)
  }
}

function blockOf({ form }: WeightOnly): number {
  if (form.kind !== 'nbits') throw new RangeError('weights of another form')
  return form.block
}
