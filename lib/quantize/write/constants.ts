/** The constants that quantization adds: scales and zero points, weights, biases and operands as integers, each stored once. */
import type { ConstantTensor } from '../../graph/graph.js'
import type { Names } from '../../graph/names.js'
import { floatsOf, scalar, tensorOf } from '../../graph/tensor.js'
import type { ValueFormat } from '../quantization.js'
import type { Table } from '../round/tables.js'
import { type AffineParameters, affineOf } from '../scales/affine.js'
import { quantizeBiases } from '../scales/bias.js'
import type { Layer } from '../scales/layer.js'
import type { ConstantPool } from './constant-pool.js'
import type { StoredTensor } from './nodes.js'
import { extremesOf, levelsTensor, quantizeAll, scalarsOf, weightTensors } from './tensors.js'

export class QdqConstants {
  /** The constant that holds the int32 bias of a layer. */
  readonly biases = new Map<Layer, string>()
  /** Parameters of constants that are operands of integer nodes, by the name of the constant. */
  readonly operands = new Map<string, AffineParameters>()

  constructor(
    private readonly pool: ConstantPool,
    private readonly names: Names,
  ) {}

  /** Scale and zero point of a tensor. */
  parameters(base: string, affine: AffineParameters): readonly string[] {
    const [scale, zeroPoint] = scalarsOf(affine)
    return this.pool.share([`${base}_scale`, scale], [`${base}_zero_point`, zeroPoint])
  }

  /** A real number; '' where there is none. */
  number(name: string, x: number | undefined): string {
    return x === undefined ? '' : (this.pool.share([name, scalar('float32', x)])[0] as string)
  }

  /** A constant that takes part as an activation does (x + c), quantized over its own range. */
  operand(name: string, constant: ConstantTensor, { format, symmetric }: ValueFormat): StoredTensor {
    const values = floatsOf(constant)
    const affine = affineOf(extremesOf(values), format, symmetric)
    this.operands.set(name, affine)
    const parameters = this.parameters(name, affine)
    const tensor = levelsTensor(format, constant.dims, quantizeAll(values, affine))
    const [levels = ''] = this.pool.share([`${name}_quantized`, tensor])
    return { levels, parameters }
  }

  /** Nodes that share their weights share the integer ones too, unless a bias asked for other scales. */
  weights(layer: Layer, dims: readonly number[], bytes: Uint8Array): StoredTensor {
    const { weights: name, axis } = layer
    const [tensor, scale, zeroPoint] = weightTensors(layer, dims, bytes)
    const [levels = '', ...parameters] = this.pool.share(
      [`${name}_quantized`, tensor],
      [`${name}_scale`, scale],
      [`${name}_zero_point`, zeroPoint],
    )
    return { levels, parameters, axis }
  }

  /** The levels of a table of embeddings, and the scales of its rows or of their blocks. */
  table(name: string, { dims, levels, block, scales }: Table): readonly [levels: string, scales: string] {
    const blocks = [...dims.slice(0, -1), (dims.at(-1) as number) / block]
    const [stored = '', scale = ''] = this.pool.share(
      [`${name}_quantized`, tensorOf('int8', dims, levels)],
      [`${name}_row_scale`, tensorOf('float32', blocks, scales)],
    )
    return [stored, scale]
  }

  /** The bias of a layer in steps of its accumulator. `name`: the float one, '' where there is none; `node`: its reader. */
  bias(layer: Layer, bias: Float64Array, name: string, node: string): StoredTensor {
    const { accumulatorScales } = layer
    const base = name === '' || this.names.has(`${name}_quantized`) ? `${node}_bias` : name
    const integers = tensorOf('int32', [bias.length], quantizeBiases(bias, accumulatorScales))
    const levels = this.pool.add(`${base}_quantized`, integers)
    this.biases.set(layer, levels)
    const one = accumulatorScales.length === 1
    const dims = one ? [] : [accumulatorScales.length]
    const scale = this.pool.add(`${base}_scale`, tensorOf('float32', dims, accumulatorScales))
    const zeros = new Int32Array(accumulatorScales.length)
    const zeroPoint = this.pool.add(`${base}_zero_point`, tensorOf('int32', dims, zeros))
    return { levels, parameters: [scale, zeroPoint], axis: one ? undefined : 0 }
  }
}
