/**
 * Writes the float graph as a QDQ graph: QuantizeLinear after what makes a value, one DequantizeLinear for every reader,
 * weights and biases as integer constants. The rules are those that onnxruntime fuses to integer kernels.
 */

import type { Attribute, ConstantTensor, Node } from '../../graph/graph.js'
import { Names } from '../../graph/names.js'
import { floatsOf, scalar, tensorOf } from '../../graph/tensor.js'
import { valueFormat } from '../assign/assign.js'
import type { Fusion } from '../assign/fusions.js'
import type { QuantizedValue } from '../assign/quantized-values.js'
import { type Method, parametersOf, type Quantization } from '../quantization.js'
import { type AffineParameters, affineOf } from '../scales/affine.js'
import { quantizeBiases } from '../scales/bias.js'
import type { Layer } from '../scales/layer.js'
import { ConstantPool } from './constant-pool.js'
import type { QdqGraph } from './qdq-graph.js'
import { type ClipBounds, clipBounds, knownRange } from './saturation.js'
import { extremesOf, levelsTensor, quantizeAll, scalarsOf, weightTensors } from './tensors.js'

export const writeQdq: Method = (quantization) => ({
  ...quantization,
  quantized: new QdqWriter(quantization).write(),
})

const NO_CLIP: ClipBounds = { low: undefined, high: undefined }

class QdqWriter {
  private readonly nodes: Node[] = []
  private readonly names: Names
  private readonly pool: ConstantPool
  private readonly biases = new Map<Layer, string>()
  private readonly operands = new Map<string, AffineParameters>()
  private readonly fusions: ReadonlyMap<Node, Fusion>
  private readonly outputs: ReadonlySet<string>
  /** The integer form of values, by their names. */
  private readonly quantizedNames = new Map<string, string>()

  constructor(private readonly quantization: Quantization) {
    const { graph, fusions } = quantization
    const made = graph.nodes.flatMap((node) => [node.name, ...node.outputs])
    this.names = new Names([...graph.inputs, ...graph.constants.keys(), ...made])
    this.pool = new ConstantPool(graph.constants, this.names)
    this.outputs = new Set(graph.outputs)
    this.fusions = new Map(fusions.integer.map((fusion) => [fusion.node, fusion]))
  }

  write(): QdqGraph {
    const { graph } = this.quantization
    for (const name of graph.inputs) this.quantize(name, name)
    for (const node of graph.nodes) this.writeNode(node)
    const reads = new Set([
      ...graph.outputs,
      ...this.nodes.flatMap((n) => [...n.inputs, ...(n.captures ?? [])]),
    ])
    return {
      graph: { ...graph, nodes: this.nodes, constants: this.pool.used(reads) },
      biases: this.biases,
      operands: this.operands,
    }
  }

  private writeNode(node: Node): void {
    const fusion = this.fusions.get(node)
    const layer = fusion && this.quantization.layers.get(fusion)
    const inputs = node.inputs.map((name, i) => {
      if (fusion?.inputs.includes(i)) return this.integerInput(name, node)
      if (layer && fusion?.rule.kind === 'weighted' && i === fusion.rule.weight) return this.weights(layer)
      return this.floatInput(name, node)
    })
    const attributes: Record<string, Attribute> = { ...node.attributes }
    if (layer && fusion?.rule.kind === 'weighted') {
      const position = fusion.rule.bias
      if (layer.bias && position !== undefined) {
        while (inputs.length < position) inputs.push('')
        inputs[position] = this.bias(node, node.inputs[position] ?? '', layer, layer.bias)
      }
      // Both are in the scales of weights and bias.
      for (const name of ['alpha', 'beta']) {
        if (name in attributes) attributes[name] = { kind: 'float', value: 1 }
      }
    }
    const outputs = node.outputs.map((name) => this.outputName(name))
    const captures = node.captures?.map((name) => this.floatInput(name, node))
    this.nodes.push({ ...node, inputs, outputs, attributes, ...(captures ? { captures } : {}) })
    node.outputs.forEach((name, i) => {
      this.quantize(name, outputs[i] as string)
    })
  }

  /** An output that an integer node makes is what its quantized form says, under the name the model gave it. */
  private outputName(name: string): string {
    const made = this.quantization.values.values.get(name)?.maker
    return this.outputs.has(name) && made ? `${name}_real` : name
  }

  /** Adds the QuantizeLinear of a value, if it has one. */
  private quantize(name: string, real: string): void {
    const value = this.quantization.values.values.get(name)
    if (!value) return
    const affine = parametersOf(this.quantization, name)
    const parameters = this.scalars(value.root, affine)
    const source = this.clip(name, real, value, affine)
    const quantized = this.names.fresh(`${name}_quantized`)
    this.quantizedNames.set(name, quantized)
    this.nodes.push({
      name: this.names.fresh(`${name}_QuantizeLinear`),
      opType: 'QuantizeLinear',
      domain: '',
      inputs: [source, ...parameters],
      outputs: [quantized],
      attributes: {},
    })
    if (real !== name) this.dequantize(quantized, parameters, undefined, name)
  }

  /** Keeps a value within the levels of its format: the value that is then quantized. */
  private clip(
    name: string,
    real: string,
    { root, maker }: QuantizedValue,
    affine: AffineParameters,
  ): string {
    // What is moved is within them already.
    const moved = maker?.rule.kind === 'shared' && maker.node.opType !== 'Pad'
    const { low, high } = moved ? NO_CLIP : clipBounds(affine, knownRange(this.quantization.graph, maker))
    if (low === undefined && high === undefined) return real
    const bound = (end: string, x: number | undefined) =>
      x === undefined ? '' : (this.pool.share([`${root}_${end}`, scalar('float32', x)])[0] as string)
    const clipped = this.names.fresh(`${name}_clipped`)
    const bounds = [bound('least', low), bound('most', high)]
    this.nodes.push({
      name: this.names.fresh(`${name}_Clip`),
      opType: 'Clip',
      domain: '',
      inputs: [real, ...(high === undefined ? bounds.slice(0, 1) : bounds)],
      outputs: [clipped],
      attributes: {},
    })
    return clipped
  }

  /** A value that is taken quantized: a DequantizeLinear for this reader alone. */
  private integerInput(name: string, reader: Node): string {
    const value = this.quantization.values.values.get(name)
    const quantized = this.quantizedNames.get(name)
    if (value && quantized !== undefined) {
      const parameters = this.scalars(value.root, parametersOf(this.quantization, name))
      return this.dequantize(quantized, parameters, undefined)
    }
    const constant = this.quantization.graph.constants.get(name)
    return constant ? this.operand(name, constant, reader) : name
  }

  /** A float reader takes the real value, unless that exists in integer form only. */
  private floatInput(name: string, reader: Node): string {
    return this.quantization.values.values.get(name)?.maker ? this.integerInput(name, reader) : name
  }

  private dequantize(
    source: string,
    parameters: readonly string[],
    axis: number | undefined,
    output?: string,
  ): string {
    const base = source.replace(/_quantized$/, '')
    const result = output ?? this.names.fresh(`${base}_dequantized`)
    this.nodes.push({
      name: this.names.fresh(`${base}_DequantizeLinear`),
      opType: 'DequantizeLinear',
      domain: '',
      inputs: [source, ...parameters],
      outputs: [result],
      attributes: axis === undefined ? {} : { axis: { kind: 'int', value: axis } },
    })
    return result
  }

  /** Scale and zero point as constants. */
  private scalars(base: string, parameters: AffineParameters): readonly string[] {
    const [scale, zeroPoint] = scalarsOf(parameters)
    return this.pool.share([`${base}_scale`, scale], [`${base}_zero_point`, zeroPoint])
  }

  /** A constant that takes part as an activation does (x + c), quantized over its own range. */
  private operand(name: string, constant: ConstantTensor, reader: Node): string {
    const { format, symmetric } = valueFormat(this.quantization, reader)
    const values = floatsOf(constant)
    const parameters = affineOf(extremesOf(values), format, symmetric)
    this.operands.set(name, parameters)
    const scalars = this.scalars(name, parameters)
    const levels = levelsTensor(format, constant.dims, quantizeAll(values, parameters))
    const [stored = ''] = this.pool.share([`${name}_quantized`, levels])
    return this.dequantize(stored, scalars, undefined)
  }

  private weights(layer: Layer): string {
    const { graph, levels } = this.quantization
    const name = layer.weights
    const bytes = levels.get(layer)
    const dims = graph.constants.get(name)?.dims
    if (!bytes || !dims) throw new RangeError(`the weights ${name} were not rounded`)
    const [tensor, scale, zeroPoint] = weightTensors(layer, dims, bytes)
    // Nodes that share their weights share the integer ones too, unless a bias asked for other scales.
    const [stored = '', ...parameters] = this.pool.share(
      [`${name}_quantized`, tensor],
      [`${name}_scale`, scale],
      [`${name}_zero_point`, zeroPoint],
    )
    return this.dequantize(stored, parameters, layer.axis)
  }

  private bias(node: Node, name: string, layer: Layer, bias: Float64Array): string {
    const { accumulatorScales } = layer
    const base = name === '' || this.names.has(`${name}_quantized`) ? `${node.name}_bias` : name
    const integers = tensorOf('int32', [bias.length], quantizeBiases(bias, accumulatorScales))
    const stored = this.pool.add(`${base}_quantized`, integers)
    this.biases.set(layer, stored)
    const one = accumulatorScales.length === 1
    const dims = one ? [] : [accumulatorScales.length]
    const scale = this.pool.add(`${base}_scale`, tensorOf('float32', dims, accumulatorScales))
    const zeros = new Int32Array(accumulatorScales.length)
    const zeroPoint = this.pool.add(`${base}_zero_point`, tensorOf('int32', dims, zeros))
    return this.dequantize(stored, [scale, zeroPoint], one ? undefined : 0)
  }
}
