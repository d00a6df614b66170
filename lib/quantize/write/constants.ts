/**
 * The constants that quantization adds: scales and zero points, weights, biases and operands as integers, each stored once.
 * Their names are short: with those of nodes and values they were up to a third of a small model's file.
 */
import type { Granularity } from '../../graph/format.js'
import type { ConstantTensor } from '../../graph/graph.js'
import { floatsOf, scalar, tensorOf } from '../../graph/tensor.js'
import type { ValueFormat } from '../quantization.js'
import type { PackedWeights } from '../round/packed-weights.js'
import type { Table } from '../round/table.js'
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

  constructor(private readonly pool: ConstantPool) {}

  /** Scale and zero point of a tensor. */
  parameters(affine: AffineParameters): readonly string[] {
    const [scale, zeroPoint] = scalarsOf(affine)
    return [this.pool.share('s', scale), this.pool.share('z', zeroPoint)]
  }

  /** A real number; '' where there is none. */
  number(x: number | undefined): string {
    return x === undefined ? '' : this.pool.share('k', scalar('float32', x))
  }

  /** A constant that takes part as an activation does (x + c), quantized over its own range. */
  operand(name: string, constant: ConstantTensor, { format, symmetric }: ValueFormat): StoredTensor {
    const values = floatsOf(constant)
    const affine = affineOf(extremesOf(values), format, symmetric)
    this.operands.set(name, affine)
    const tensor = levelsTensor(format, constant.dims, quantizeAll(values, affine))
    return { levels: this.pool.share('w', tensor), parameters: this.parameters(affine) }
  }

  /** Nodes that share their weights share the integer ones too, unless a bias asked for other scales. */
  weights(
    layer: Parameters<typeof weightTensors>[0],
    dims: readonly number[],
    bytes: Uint8Array,
  ): StoredTensor {
    const [levels, scale, zeroPoint] = weightTensors(layer, dims, bytes)
    const parameters = [this.pool.share('s', scale), this.pool.share('z', zeroPoint)]
    return { levels: this.pool.share('w', levels), parameters, axis: layer.axis }
  }

  /** Weights of a weight-only format; equal ones are stored once. */
  packed({ levels, scales, zeroPoints }: PackedWeights, granularity: Granularity): StoredTensor {
    const parameters = [this.pool.share('s', scales)]
    if (zeroPoints) parameters.push(this.pool.share('z', zeroPoints))
    const stored = { levels: this.pool.share('w', levels), parameters }
    if (granularity.kind === 'channel') return { ...stored, axis: granularity.axis }
    if (granularity.kind !== 'block') return stored
    return { ...stored, axis: granularity.axis, blockSize: granularity.size }
  }

  /** The sizes that a Reshape gives. */
  sizes(dims: readonly number[]): string {
    return this.pool.share('k', tensorOf('int64', [dims.length], BigInt64Array.from(dims, BigInt)))
  }

  /** The levels of a table of embeddings, and the scales of its rows or of their blocks. */
  table({ dims, levels, block, scales }: Table): readonly [levels: string, scales: string] {
    const blocks = [...dims.slice(0, -1), (dims.at(-1) as number) / block]
    const scale = tensorOf('float32', blocks, scales)
    return [this.pool.share('w', tensorOf('int8', dims, levels)), this.pool.share('s', scale)]
  }

  /** The bias of a layer in steps of its accumulator; a constant of its own, because it may be corrected. */
  bias(layer: Layer, bias: Float64Array): StoredTensor {
    const { accumulatorScales } = layer
    const levels = this.pool.add(
      'b',
      tensorOf('int32', [bias.length], quantizeBiases(bias, accumulatorScales)),
    )
    this.biases.set(layer, levels)
    const one = accumulatorScales.length === 1
    const dims = one ? [] : [accumulatorScales.length]
    const zeros = tensorOf('int32', dims, new Int32Array(accumulatorScales.length))
    const parameters = [
      this.pool.share('s', tensorOf('float32', dims, accumulatorScales)),
      this.pool.share('z', zeros),
    ]
    return { levels, parameters, axis: one ? undefined : 0 }
  }
}
