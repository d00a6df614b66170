/**
 * Float graph -> QDQ graph: QuantizeLinear after what makes a value, one DequantizeLinear for every reader, weights and
 * biases as integer constants. The rules are those that onnxruntime fuses to integer kernels.
 */
import type { Attribute, ConstantTensor, Graph, Node } from '../graph/graph.js'
import { floatsOf } from '../graph/tensor.js'
import { type Params, quantizeBias, paramsOf as rangeParams } from './params.js'
import type { Product } from './products.js'
import type { Recipe } from './recipe.js'
import type { Unit } from './units.js'
import type { QuantizedValues } from './values.js'

export interface InsertInput {
  readonly graph: Graph
  readonly units: readonly Unit[]
  readonly values: QuantizedValues
  readonly products: ReadonlyMap<Unit, Product>
  /** Parameters of the roots. */
  readonly params: ReadonlyMap<string, Params>
  readonly activations: Recipe['activations']
}

export interface Inserted {
  readonly graph: Graph
  /** The constant that holds the int32 bias of a product. */
  readonly biases: ReadonlyMap<Product, string>
  /** Parameters of constants that are operands of integer nodes, by the name of the constant. */
  readonly operands: ReadonlyMap<string, Params>
}

export function insertQuantizers(input: InsertInput): Inserted {
  return new Inserter(input).run()
}

class Inserter {
  private readonly nodes: Node[] = []
  private readonly constants: Map<string, ConstantTensor>
  private readonly names = new Set<string>()
  private readonly biases = new Map<Product, string>()
  private readonly operands = new Map<string, Params>()
  private readonly unitByNode: ReadonlyMap<Node, Unit>
  private readonly outputs: ReadonlySet<string>
  private readonly quantizedNames = new Map<string, string>()
  /** Constants already quantized, by what they are. */
  private readonly stored = new Map<string, string>()

  constructor(private readonly input: InsertInput) {
    const { graph, units } = input
    this.constants = new Map(graph.constants)
    this.outputs = new Set(graph.outputs)
    this.unitByNode = new Map(units.map((u) => [u.node, u]))
    for (const name of [...graph.inputs, ...graph.constants.keys()]) this.names.add(name)
    for (const node of graph.nodes) for (const name of [node.name, ...node.outputs]) this.names.add(name)
  }

  run(): Inserted {
    const { graph } = this.input
    for (const name of graph.inputs) this.quantize(name, name)
    for (const node of graph.nodes) this.rewrite(node)
    const used = new Set([
      ...graph.outputs,
      ...this.nodes.flatMap((n) => [...n.inputs, ...(n.captures ?? [])]),
    ])
    const constants = new Map([...this.constants].filter(([name]) => used.has(name)))
    return {
      graph: { ...graph, nodes: this.nodes, constants },
      biases: this.biases,
      operands: this.operands,
    }
  }

  private rewrite(node: Node): void {
    const unit = this.unitByNode.get(node)
    const product = unit && this.input.products.get(unit)
    const inputs = node.inputs.map((name, i) => {
      if (unit?.inputs.includes(i)) return this.integerInput(name)
      if (product && unit?.rule.kind === 'weighted' && i === unit.rule.weight)
        return this.weights(name, product)
      return this.floatInput(name)
    })
    const attributes: Record<string, Attribute> = { ...node.attributes }
    if (product && unit?.rule.kind === 'weighted') {
      const position = unit.rule.bias
      if (product.bias && position !== undefined) {
        while (inputs.length < position) inputs.push('')
        inputs[position] = this.bias(node, node.inputs[position] ?? '', product)
      }
      for (const name of ['alpha', 'beta'])
        if (name in attributes) attributes[name] = { kind: 'float', value: 1 }
    }
    const outputs = node.outputs.map((name) => this.outputName(name))
    const captures = node.captures?.map((name) => this.floatInput(name))
    this.nodes.push({ ...node, inputs, outputs, attributes, ...(captures ? { captures } : {}) })
    node.outputs.forEach((name, i) => {
      this.quantize(name, outputs[i] as string)
    })
  }

  /** An output that an integer node makes is what its quantized form says, under the name the model gave it. */
  private outputName(name: string): string {
    return this.outputs.has(name) && this.input.values.values.get(name)?.maker ? `${name}_real` : name
  }

  /** Adds the QuantizeLinear of a value, if it has one. */
  private quantize(name: string, real: string): void {
    const value = this.input.values.values.get(name)
    if (!value) return
    const [scale, zeroPoint] = this.paramConstants(value.root)
    const quantized = this.fresh(`${name}_quantized`)
    this.quantizedNames.set(name, quantized)
    this.nodes.push({
      name: this.fresh(`${name}_QuantizeLinear`),
      opType: 'QuantizeLinear',
      domain: '',
      inputs: [real, scale, zeroPoint],
      outputs: [quantized],
      attributes: {},
    })
    if (real !== name) this.dequantize(quantized, [scale, zeroPoint], undefined, name)
  }

  /** A value that is taken quantized: a DequantizeLinear for this reader alone. */
  private integerInput(name: string): string {
    const value = this.input.values.values.get(name)
    const quantized = this.quantizedNames.get(name)
    if (value && quantized !== undefined) {
      return this.dequantize(quantized, this.paramConstants(value.root), undefined)
    }
    const constant = this.input.graph.constants.get(name)
    return constant ? this.operand(name, constant) : name
  }

  /** A float reader takes the real value, unless that exists in integer form only. */
  private floatInput(name: string): string {
    return this.input.values.values.get(name)?.maker ? this.integerInput(name) : name
  }

  private dequantize(
    source: string,
    params: readonly string[],
    axis: number | undefined,
    output?: string,
  ): string {
    const base = source.replace(/_quantized$/, '')
    const result = output ?? this.fresh(`${base}_dequantized`)
    this.nodes.push({
      name: this.fresh(`${base}_DequantizeLinear`),
      opType: 'DequantizeLinear',
      domain: '',
      inputs: [source, ...params],
      outputs: [result],
      attributes: axis === undefined ? {} : { axis: { kind: 'int', value: axis } },
    })
    return result
  }

  private paramConstants(root: string): readonly [string, string] {
    const params = this.input.params.get(root)
    if (!params) throw new RangeError(`value ${root} has no parameters`)
    return this.scalars(root, params)
  }

  private scalars(base: string, { dtype, scale, zeroPoint }: Params): readonly [string, string] {
    const names = [`${base}_scale`, `${base}_zero_point`] as const
    if (!this.stored.has(names[0])) {
      this.stored.set(names[0], this.addConstant(names[0], 'float32', [], Float32Array.of(scale)))
      const byte = Uint8Array.of(zeroPoint)
      this.stored.set(names[1], this.addConstant(names[1], dtype, [], byte))
    }
    return [this.stored.get(names[0]) as string, this.stored.get(names[1]) as string]
  }

  /** A constant that takes part as an activation does (x + c), quantized over its own range. */
  private operand(name: string, constant: ConstantTensor): string {
    const { type, symmetric } = this.input.activations
    const values = floatsOf(constant)
    let [low, high] = [0, 0]
    for (const v of values) {
      if (v < low) low = v
      if (v > high) high = v
    }
    const params = rangeParams([low, high], type, symmetric)
    this.operands.set(name, params)
    const scalars = this.scalars(name, params)
    const key = `${name}|operand`
    let stored = this.stored.get(key)
    if (stored === undefined) {
      stored = this.addConstant(`${name}_quantized`, type, constant.dims, quantizeAll(values, params))
      this.stored.set(key, stored)
    }
    return this.dequantize(stored, scalars, undefined)
  }

  private weights(name: string, { weights, axis, alpha }: Product): string {
    const perChannel = axis !== undefined
    const scales = alpha === 1 ? weights.scales : weights.scales.map((s) => Math.fround(s * alpha))
    const dims = perChannel ? [scales.length] : []
    // Nodes that share their weights share the integer ones too, unless a bias asked for other scales.
    const key = `${name}|weights|${axis}|${scales.join()}`
    let stored = this.stored.get(key)
    if (stored === undefined) {
      stored = this.addConstant(`${name}_quantized`, weights.dtype, weights.dims, weights.data)
      this.stored.set(key, stored)
      this.stored.set(`${key}|scale`, this.addConstant(`${name}_scale`, 'float32', dims, scales))
      const zeros = new Uint8Array(scales.length).fill(weights.zeroPoint)
      this.stored.set(`${key}|zero_point`, this.addConstant(`${name}_zero_point`, weights.dtype, dims, zeros))
    }
    const params = [this.stored.get(`${key}|scale`) as string, this.stored.get(`${key}|zero_point`) as string]
    return this.dequantize(stored, params, axis)
  }

  private bias(node: Node, name: string, product: Product): string {
    const { units, bias = new Float64Array(0) } = product
    const base = name === '' || this.names.has(`${name}_quantized`) ? `${node.name}_bias` : name
    const stored = this.addConstant(`${base}_quantized`, 'int32', [bias.length], biasIntegers(bias, units))
    this.biases.set(product, stored)
    const dims = units.length === 1 ? [] : [units.length]
    const scale = this.addConstant(`${base}_scale`, 'float32', dims, units)
    const zeroPoint = this.addConstant(`${base}_zero_point`, 'int32', dims, new Int32Array(units.length))
    return this.dequantize(stored, [scale, zeroPoint], units.length === 1 ? undefined : 0)
  }

  private addConstant(
    base: string,
    dtype: ConstantTensor['dtype'],
    dims: readonly number[],
    data: Float32Array | Int32Array | Uint8Array,
  ): string {
    const name = this.fresh(base)
    this.constants.set(name, {
      dtype,
      dims,
      data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    })
    return name
  }

  private reserve(name: string): string {
    this.names.add(name)
    return name
  }

  private fresh(base: string): string {
    let name = base
    for (let i = 1; this.names.has(name); ++i) name = `${base}_${i}`
    return this.reserve(name)
  }
}

export function biasIntegers(bias: Float64Array, units: Float32Array): Int32Array {
  return Int32Array.from(bias, (b, c) => quantizeBias(b, units[units.length === 1 ? 0 : c] as number))
}

function quantizeAll(values: Float32Array, { dtype, scale, zeroPoint }: Params): Uint8Array {
  const [qmin, qmax] = dtype === 'int8' ? [-128, 127] : [0, 255]
  const rounder = 1.5 * 2 ** 52
  return Uint8Array.from(values, (v) => {
    const q = v / scale + rounder - rounder + zeroPoint
    return Math.min(qmax, Math.max(qmin, q))
  })
}
