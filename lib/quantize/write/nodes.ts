/** The nodes of the graph that is being written, and those that quantization adds: short names that nothing else has, in the order of computation. */
import type { Scope } from '../../graph/flatten.js'
import type { Attribute, Node } from '../../graph/graph.js'
import type { Names } from '../../graph/names.js'

/** Integers in the file: their constant or value, scale and zero point, and the axis that these lie along, if they are several. */
export interface StoredTensor {
  readonly levels: string
  readonly parameters: readonly string[]
  readonly axis?: number
  /** Elements along the axis that share a scale, where there are several for each index of it. */
  readonly blockSize?: number
}

export class QdqNodes {
  readonly list: Node[] = []
  /** The body that nodes are added to; undefined: the main graph. */
  scope: Scope | undefined
  private readonly scopes = new Map<string, Scope>()

  constructor(private readonly names: Names) {}

  /** A name that nothing has yet. */
  fresh(base: string): string {
    return this.names.fresh(base)
  }

  /** The body that a node was added to, by its name. */
  scopeOf(name: string): Scope | undefined {
    return this.scopes.get(name)
  }

  /** Appends a node of the model. */
  push(node: Node): void {
    if (this.scope) this.scopes.set(node.name, this.scope)
    this.list.push(node)
  }

  /** Every value that a node reads. */
  reads(): Set<string> {
    return new Set(this.list.flatMap((node) => [...node.inputs, ...(node.captures ?? [])]))
  }

  /** The integer form of a value. */
  quantize(real: string, parameters: readonly string[]): string {
    const quantized = this.names.fresh('q')
    this.add(quantized, 'QuantizeLinear', [real, ...parameters], quantized)
    return quantized
  }

  /** The real form of integers, under the name `output` or a new one. */
  dequantize({ levels, parameters, axis, blockSize }: StoredTensor, output?: string): string {
    const name = this.names.fresh('d')
    const result = output ?? name
    const attributes: Record<string, Attribute> = {}
    if (axis !== undefined) attributes.axis = { kind: 'int', value: axis }
    if (blockSize !== undefined) attributes.block_size = { kind: 'int', value: blockSize }
    this.add(name, 'DequantizeLinear', [levels, ...parameters], result, attributes)
    return result
  }

  /** A value between two constants; '' for a bound that there is not. */
  clip(real: string, low: string, high: string): string {
    const clipped = this.names.fresh('c')
    this.add(clipped, 'Clip', high === '' ? [real, low] : [real, low, high], clipped)
    return clipped
  }

  /** The same value under another name, which runtimes keep: a maximum of one. */
  apart(real: string): string {
    const result = this.names.fresh('a')
    this.add(result, 'Max', [real], result)
    return result
  }

  /** The same elements in other sizes. */
  reshape(value: string, sizes: string): string {
    const result = this.names.fresh('r')
    this.add(result, 'Reshape', [value, sizes], result)
    return result
  }

  /** A node with one output, in the body that nodes are added to. */
  add(
    name: string,
    opType: string,
    inputs: readonly string[],
    output: string,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): void {
    this.push({ name, opType, domain: '', inputs, outputs: [output], attributes })
  }
}
