/** Products whose activations are quantized while running; what several of them read is quantized once. */
import type { Scope } from '../../graph/flatten.js'
import type { Graph, Node } from '../../graph/graph.js'
import { elementCount, floatsOf, tensorOf } from '../../graph/tensor.js'
import type { FileForm } from '../assign/file-form.js'
import type { PackedWeights } from '../round/packed-weights.js'
import type { ConstantPool } from './constant-pool.js'
import { writeRunningProduct } from './dynamic-product.js'
import { quantizeRunning, type RunningLevels } from './dynamic-rows.js'
import { addBias, constantBias } from './gemm-bias.js'
import type { QdqNodes } from './nodes.js'

export interface DynamicNode {
  /** The float node, its inputs those of the written graph. */
  readonly node: Node
  readonly form: Extract<FileForm, { readonly kind: 'dynamic' }>
  readonly packed: PackedWeights
}

/** Writes them; of the float graph it takes the constants. */
export class DynamicWriter {
  private readonly running = new Map<Scope | undefined, Map<string, RunningLevels>>()

  constructor(
    private readonly graph: Graph,
    private readonly nodes: QdqNodes,
    private readonly pool: ConstantPool,
  ) {}

  write({ node, form, packed: { levels, scales } }: DynamicNode): void {
    const [x = '', , c = ''] = node.inputs
    const [output = ''] = node.outputs
    const weights = { dims: levels.dims, levels: levels.data, scales: floatsOf(scales) }
    const shared = { a: this.quantized(x, form), weights }
    if (node.opType === 'Conv') {
      const product = { ...shared, conv: node.attributes, output }
      const bias = c === '' ? {} : { bias: this.convBias(c, levels.dims.length - 2) }
      writeRunningProduct(this.nodes, this.pool, { ...product, ...bias })
      return
    }
    const gemm = node.opType === 'Gemm' && c !== ''
    const bias = gemm ? constantBias(this.graph, this.pool, node, levels.dims[1] as number) : undefined
    if (bias !== undefined || !gemm) {
      writeRunningProduct(this.nodes, this.pool, {
        ...shared,
        ...(bias === undefined ? {} : { bias }),
        output,
      })
      return
    }
    const product = this.nodes.fresh('m')
    writeRunningProduct(this.nodes, this.pool, { ...shared, output: product })
    addBias(this.nodes, this.pool, node, product)
  }

  private quantized(x: string, { per, symmetric }: DynamicNode['form']): RunningLevels {
    const { scope } = this.nodes
    const known = this.running.get(scope) ?? new Map<string, RunningLevels>()
    this.running.set(scope, known)
    const key = [per, symmetric, x].join(' ')
    const levels = known.get(key) ?? quantizeRunning(this.nodes, this.pool, x, { per, symmetric })
    known.set(key, levels)
    return levels
  }

  /** One number a channel, before the axes of space. */
  private convBias(name: string, spatial: number): string {
    const tensor = this.graph.constants.get(name)
    if (!tensor) throw new RangeError(`bias ${name} is not a constant`)
    const dims = [elementCount(tensor.dims), ...new Array<number>(spatial).fill(1)]
    return this.pool.share('b', tensorOf('float32', dims, floatsOf(tensor)))
  }
}
