/** QuantizeLinear and DequantizeLinear, and what is before them, as the nodes that an upgrade makes. */
import type { QuantizedDType } from '../../graph/format.js'
import type { ConstantTensor, Node } from '../../graph/graph.js'
import { elementCount, floatsOf, tensorFromNumbers } from '../../graph/tensor.js'
import type { UpgradeContext } from './context.js'

export interface Parameters {
  /** One, or one for each index of `axis`. */
  readonly scales: Float32Array
  readonly zero: readonly number[]
  readonly axis: number
  /** As they lie over the tensor. */
  readonly dims: readonly number[]
}

export class NodeList {
  readonly #nodes: Node[] = []

  constructor(private readonly context: UpgradeContext) {}

  /** Adds a node; gives its output. */
  add(
    opType: string,
    suffix: string,
    inputs: readonly string[],
    attributes: Node['attributes'] = {},
  ): string {
    const output = this.context.fresh(suffix)
    this.#nodes.push(this.context.node(opType, inputs, [output], attributes))
    return output
  }

  /** Adds the last node; gives all. */
  end(
    opType: string,
    inputs: readonly string[],
    output: string,
    attributes: Node['attributes'] = {},
  ): readonly Node[] {
    this.#nodes.push(this.context.node(opType, inputs, [output], attributes))
    return this.#nodes
  }

  /** x to levels and back. */
  quantized(x: string, output: string, parameters: Parameters, dtype: QuantizedDType): readonly Node[] {
    const { inputs, attributes } = this.#stated(parameters, dtype)
    const q = this.add('QuantizeLinear', 'levels', [x, ...inputs], attributes)
    return this.end('DequantizeLinear', [q, ...inputs], output, attributes)
  }

  /** The same of constants: their levels. */
  weights(
    tensor: ConstantTensor,
    output: string,
    parameters: Parameters,
    dtype: QuantizedDType,
    levelOf: (v: number, scale: number, zero: number) => number,
  ): readonly Node[] {
    const { scales, zero, axis } = parameters
    const { dims } = tensor
    const inner = elementCount(dims.slice(axis + 1))
    const levels = Array.from(floatsOf(tensor), (v, i) => {
      const of = scales.length === 1 ? 0 : Math.floor(i / inner) % scales.length
      return levelOf(v, scales[of] as number, zero[of] as number)
    })
    const q = this.context.constant('levels', tensorFromNumbers(dtype, dims, levels))
    const { inputs, attributes } = this.#stated(parameters, dtype)
    return this.end('DequantizeLinear', [q, ...inputs], output, attributes)
  }

  #stated({ scales, zero, axis }: Parameters, dtype: QuantizedDType) {
    const dims = scales.length === 1 ? [] : [scales.length]
    const s = this.context.constant('scale', tensorFromNumbers('float32', dims, scales))
    const z = this.context.constant('zero_point', tensorFromNumbers(dtype, dims, zero))
    const attributes: Node['attributes'] = dims.length === 0 ? {} : { axis: { kind: 'int', value: axis } }
    return { inputs: [s, z], attributes }
  }
}
