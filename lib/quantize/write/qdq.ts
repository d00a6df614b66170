/**
 * Writes the float graph as a QDQ graph: QuantizeLinear after what makes a value, one DequantizeLinear for every reader,
 * weights and biases as integer constants. The rules are those that onnxruntime fuses to integer kernels.
 */
import { resultsOf } from '../../graph/flatten.js'
import { isSigns } from '../../graph/format.js'
import type { Attribute, Node } from '../../graph/graph.js'
import { Names } from '../../graph/names.js'
import { unflatten } from '../../graph/unflatten.js'
import { findOp } from '../../ops/registry.js'
import { valueFormat } from '../assign/assign.js'
import type { Fusion } from '../assign/fusions.js'
import type { QuantizedValue } from '../assign/quantized-values.js'
import { type Method, parametersOf, type Quantization } from '../quantization.js'
import type { RecurrentWeights } from '../round/recurrent-weights.js'
import type { Table } from '../round/table.js'
import type { AffineParameters } from '../scales/affine.js'
import type { Layer } from '../scales/layer.js'
import { statedActivations } from './block-activations.js'
import { ConstantPool } from './constant-pool.js'
import { QdqConstants } from './constants.js'
import { DynamicWriter } from './dynamic.js'
import { NBitsWriter } from './nbits.js'
import { QdqNodes, type StoredTensor } from './nodes.js'
import type { QdqGraph } from './qdq-graph.js'
import { type ClipBounds, clipBounds, knownRange } from './saturation.js'

export const writeQdq: Method = (quantization) => ({
  ...quantization,
  quantized: new QdqWriter(quantization).write(),
})

/**
 * What onnxruntime moves a DequantizeLinear behind where a float follows. From opset 21 on it then writes a type of signed levels
 * that another of its rewrites makes unsigned, and refuses its own graph (1.30).
 */
const PASSED = new Set(['MaxPool', 'Reshape', 'Slice', 'Squeeze', 'Transpose', 'Unsqueeze'])

const NO_CLIP: ClipBounds = { low: undefined, high: undefined }

/** Goes over the nodes of the float graph in their order. */
class QdqWriter {
  private readonly nodes: QdqNodes
  private readonly pool: ConstantPool
  private readonly constants: QdqConstants
  private readonly nbits: NBitsWriter
  private readonly dynamic: DynamicWriter
  private readonly fusions: ReadonlyMap<Node, Fusion>
  private readonly outputs: ReadonlySet<string>
  /** Products of signs, and what is fused to them: other runtimes make floats of the bits. */
  private readonly signs: ReadonlySet<Node>
  /** The integer form of values, by their names. */
  private readonly stored = new Map<string, StoredTensor>()
  /** The integer form of values that a float node only moved, by their names. */
  private readonly moved = new Map<string, StoredTensor>()

  constructor(private readonly quantization: Quantization) {
    const { graph, nested, flat, fusions } = quantization
    const made = graph.nodes.flatMap((node) => [node.name, ...node.outputs])
    const names = new Names([...graph.inputs, ...graph.constants.keys(), ...made])
    this.nodes = new QdqNodes(names)
    this.pool = new ConstantPool(graph.constants, names)
    this.constants = new QdqConstants(this.pool)
    this.nbits = new NBitsWriter(graph, this.nodes, this.pool)
    this.dynamic = new DynamicWriter(graph, this.nodes, this.pool)
    this.outputs = new Set([...nested.outputs, ...(flat?.scopes.flatMap(resultsOf) ?? [])])
    this.fusions = new Map(fusions.integer.map((fusion) => [fusion.node, fusion]))
    this.signs = new Set(
      [...quantization.layers.values()].flatMap(({ format, fusion }) =>
        isSigns(format) ? [fusion.node, ...fusion.fused] : [],
      ),
    )
  }

  write(): QdqGraph {
    const { graph, nested, flat } = this.quantization
    for (const name of graph.inputs) {
      this.nodes.scope = flat?.scopeOf(name)
      this.quantize(name, name)
    }
    for (const node of graph.nodes) {
      this.nodes.scope = flat?.scopeOf(node.name)
      this.writeNode(node)
    }
    const reads = new Set([...graph.outputs, ...this.nodes.reads()])
    const { biases, operands } = this.constants
    const blockActivations = statedActivations(this.quantization)
    const written = { ...graph, nodes: this.nodes.list, constants: this.pool.used(reads) }
    const scopeOf = (name: string) => this.nodes.scopeOf(name)
    const whole = flat ? unflatten({ ...flat, graph: written, scopeOf }, nested) : written
    const stated = blockActivations === undefined ? whole : { ...whole, blockActivations }
    return { graph: stated, values: this.stored, biases, operands }
  }

  private writeNode(node: Node): void {
    const table = this.quantization.storedTables.get(node.inputs[0] ?? '')
    if (table && this.quantization.tables.get(node.inputs[0] as string)?.includes(node)) {
      this.pickRows(node, table)
      return
    }
    const fusion = this.fusions.get(node)
    const layer = fusion && this.quantization.layers.get(fusion)
    const recurrentWeights = fusion && this.quantization.recurrent.get(node.name)
    const only = this.quantization.weightOnly.get(node.name)
    const packed = this.quantization.packed.get(node.name)
    const inputs = node.inputs.map((name, i) => {
      if (only && packed && i === only.position)
        return only.form.kind === 'dq'
          ? this.nodes.dequantize(this.constants.packed(packed, only.granularity))
          : name
      if (fusion?.inputs.includes(i)) return this.integerInput(name, node)
      if (layer && fusion?.rule.kind === 'weighted' && i === fusion.rule.weight) return this.weights(layer)
      const recurrent = recurrentWeights?.find(({ position }) => position === i)
      if (recurrent) return this.recurrentWeights(recurrent)
      return this.floatInput(name, node)
    })
    const attributes: Record<string, Attribute> = { ...node.attributes }
    if (layer && fusion?.rule.kind === 'weighted') {
      const position = fusion.rule.bias
      if (layer.bias && position !== undefined) {
        while (inputs.length < position) inputs.push('')
        inputs[position] = this.nodes.dequantize(this.constants.bias(layer, layer.bias))
      }
      // Both are in the scales of weights and bias.
      for (const name of ['alpha', 'beta']) {
        if (name in attributes) attributes[name] = { kind: 'float', value: 1 }
      }
    }
    const levels = fusion ? undefined : this.movedLevels(node)
    const outputs = node.outputs.map((name, i) =>
      levels && i === 0 ? this.nodes.fresh(`${name}_real`) : this.outputName(name),
    )
    const written = { ...node, inputs, outputs, attributes }
    if (only && packed && only.form.kind === 'nbits') {
      const { type } = this.quantization.settingsOf(node).activations
      const activations = type === 'float' ? type : 'block'
      this.nbits.write({ node: written, chosen: only, packed, activations })
    } else if (only && packed && only.form.kind === 'dynamic')
      this.dynamic.write({ node: written, form: only.form, packed })
    else this.nodes.push(written)
    if (levels) this.requantize(node.outputs[0] as string, outputs[0] as string, levels)
    const alone = this.signs.has(node) || (!fusion && this.isBetweenIntegers(node))
    node.outputs.forEach((name, i) => {
      this.quantize(name, levels && i === 0 ? name : (outputs[i] as string), alone)
    })
  }

  /**
   * Whether a float product reads what exists in integers only. Where a QuantizeLinear follows it, onnxruntime takes it for an
   * integer one and rounds its float weights, with one scale for all of them (1.30: a network lost all of its accuracy by that).
   */
  private isBetweenIntegers({ domain, opType, inputs }: Node): boolean {
    const name = inputs[0] ?? ''
    const integer = this.moved.has(name) || this.quantization.values.values.get(name)?.maker !== undefined
    return integer && findOp(domain, opType)?.quantize?.kind === 'weighted'
  }

  /** What a float node moves, where that exists in integer form only: its result is quantized by the same scale, which changes nothing. */
  private movedLevels({ domain, opType, inputs }: Node): StoredTensor | undefined {
    const name = inputs[0] ?? ''
    if (domain !== '' || !PASSED.has(opType)) return undefined
    return this.quantization.values.values.get(name)?.maker ? this.stored.get(name) : this.moved.get(name)
  }

  private requantize(name: string, real: string, { parameters }: StoredTensor): void {
    const stored = { levels: this.nodes.quantize(real, parameters), parameters }
    this.moved.set(name, stored)
    this.nodes.dequantize(stored, name)
  }

  /**
   * Rows of a table of embeddings: levels and scales are picked alike, and what was picked is dequantized. A runtime that
   * knows no better dequantizes all of the table in every run where the DequantizeLinear comes first.
   */
  private pickRows(node: Node, table: Table): void {
    const indices = node.inputs[1] as string
    const out = node.outputs[0] as string
    const [levels, scales] = this.constants.table(table)
    const [pickedLevels, pickedScales] = [this.nodes.fresh('q'), this.nodes.fresh('s')]
    this.nodes.push({ ...node, inputs: [levels, indices], outputs: [pickedLevels] })
    this.nodes.push({ ...node, name: pickedScales, inputs: [scales, indices], outputs: [pickedScales] })
    const picked = { levels: pickedLevels, parameters: [pickedScales], axis: -1, blockSize: table.block }
    this.nodes.dequantize(picked, out)
    this.quantize(out, out)
  }

  /** An output that an integer node makes is what its quantized form says, under the name the model gave it. */
  private outputName(name: string): string {
    const made = this.quantization.values.values.get(name)?.maker
    return this.outputs.has(name) && made ? `${name}_real` : name
  }

  /** Adds the QuantizeLinear of a value, if it has one. `alone`: nothing may take the node that makes it for an integer one. */
  private quantize(name: string, made: string, alone = false): void {
    const value = this.quantization.values.values.get(name)
    if (!value) return
    const real = alone ? this.nodes.apart(made) : made
    const affine = parametersOf(this.quantization, name)
    const parameters = this.constants.parameters(affine)
    const levels = this.nodes.quantize(this.clipped(real, value, affine), parameters)
    const stored = { levels, parameters }
    this.stored.set(name, stored)
    if (made !== name) this.nodes.dequantize(stored, name)
  }

  /** Keeps a value within the levels of its format: the value that is then quantized. */
  private clipped(real: string, { maker }: QuantizedValue, affine: AffineParameters): string {
    // What is moved is within them already, but for what Pad adds.
    const moved = maker?.rule.kind === 'shared' && maker.node.opType !== 'Pad'
    const { low, high } = moved ? NO_CLIP : clipBounds(affine, knownRange(this.quantization.graph, maker))
    if (low === undefined && high === undefined) return real
    return this.nodes.clip(real, this.constants.number(low), this.constants.number(high))
  }

  /** A value that is taken quantized: a DequantizeLinear for this reader alone. */
  private integerInput(name: string, reader: Node): string {
    const stored = this.stored.get(name)
    if (stored) return this.nodes.dequantize(stored)
    const constant = this.quantization.graph.constants.get(name)
    if (!constant) return name
    const format = valueFormat(this.quantization, reader)
    return this.nodes.dequantize(this.constants.operand(name, constant, format))
  }

  /** A float reader takes the real value, unless that exists in integer form only. */
  private floatInput(name: string, reader: Node): string {
    return this.quantization.values.values.get(name)?.maker ? this.integerInput(name, reader) : name
  }

  /** DequantizeLinear has scales along one axis: the rows of two directions lie along one before it. */
  private recurrentWeights({ dims, format, levels, scales, perRow }: RecurrentWeights): string {
    const [directions = 1, rows = 1, columns = 1] = dims
    const apart = perRow && directions > 1
    const axis = perRow ? (apart ? 0 : 1) : undefined
    const stored = apart ? [directions * rows, columns] : dims
    const weights = this.constants.weights({ format, scales, alpha: 1, axis }, stored, levels)
    const real = this.nodes.dequantize(weights)
    return apart ? this.nodes.reshape(real, this.constants.sizes(dims)) : real
  }

  private weights(layer: Layer): string {
    const { graph, levels } = this.quantization
    const bytes = levels.get(layer)
    const dims = graph.constants.get(layer.weights)?.dims
    if (!bytes || !dims) throw new RangeError(`the weights ${layer.weights} were not rounded`)
    return this.nodes.dequantize(this.constants.weights(layer, dims, bytes))
  }
}
