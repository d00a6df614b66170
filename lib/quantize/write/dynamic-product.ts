/**
 * Products of int8 weights and activations that are quantized while running:
 *
 *     tensor   Cast(MatMulInteger(q, w, z)) * (s * w_scale) + bias, ConvInteger alike; onnxruntime makes it DynamicQuantizeMatMul
 *     row      Cast(MatMulInteger(q, w) - Cast(z, int32) * columnSums(w)) * s * w_scale + bias
 *
 * The zero point of a row is a term of its own, because onnxruntime takes one for all rows in MatMulInteger.
 */
import type { Attribute } from '../../graph/graph.js'
import { tensorOf } from '../../graph/tensor.js'
import type { ConstantPool } from './constant-pool.js'
import type { RunningLevels } from './dynamic-rows.js'
import type { QdqNodes } from './nodes.js'

/** Symmetric int8 weights. */
interface RunningWeights {
  /** [k, n], or [M, C / groups, kernel...] of Conv. */
  readonly dims: readonly number[]
  /** int8, as bytes. */
  readonly levels: Uint8Array
  /** One, or one for each column or output channel. */
  readonly scales: Float32Array
}

export interface RunningProduct {
  readonly a: RunningLevels
  readonly weights: RunningWeights
  /** float32: [n], or [M, 1, ...] of Conv. */
  readonly bias?: string
  /** The attributes of a Conv, whose activations have one scale; absent: a MatMul. */
  readonly conv?: Readonly<Record<string, Attribute>>
  /** The value that the product is. */
  readonly output: string
}

const FLOAT = 1
const INT32 = 6

export function writeRunningProduct(nodes: QdqNodes, pool: ConstantPool, product: RunningProduct): void {
  const { a, weights, bias, conv, output } = product
  if (conv && a.per === 'row') throw new RangeError('Conv with scales of rows')
  const add = (
    opType: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    result?: string,
  ): string => {
    const name = nodes.fresh('v')
    nodes.add(name, opType, inputs, result ?? name, attributes)
    return result ?? name
  }
  const to = (value: number) => ({ to: { kind: 'int', value } }) as const
  const { dims, levels, scales } = weights
  const w = pool.share('w', tensorOf('int8', dims, levels))
  const scale = pool.share('s', tensorOf('float32', scaleDims(weights, conv !== undefined), scales))
  const last = (opType: string, inputs: readonly string[]) =>
    bias === undefined ? add(opType, inputs, {}, output) : add('Add', [add(opType, inputs), bias], {}, output)

  if (a.per === 'tensor') {
    const sums = add(conv ? 'ConvInteger' : 'MatMulInteger', [a.levels, w, a.zeroPoint as string], conv)
    last('Mul', [add('Cast', [sums], to(FLOAT)), add('Mul', [a.scale, scale])])
    return
  }
  let sums = add('MatMulInteger', [a.levels, w])
  if (a.zeroPoint !== undefined) {
    const columns = pool.share('k', tensorOf('int32', [dims[1] as number], columnSums(weights)))
    sums = add('Sub', [sums, add('Mul', [add('Cast', [a.zeroPoint], to(INT32)), columns])])
  }
  last('Mul', [add('Mul', [add('Cast', [sums], to(FLOAT)), a.scale]), scale])
}

function scaleDims({ dims, scales }: RunningWeights, conv: boolean): readonly number[] {
  if (scales.length === 1) return []
  return conv ? [scales.length, ...new Array<number>(dims.length - 2).fill(1)] : [scales.length]
}

/** The sum of each column of [k, n]. */
function columnSums({ dims, levels }: RunningWeights): Int32Array {
  const n = dims[1] as number
  const sums = new Int32Array(n)
  const signed = new Int8Array(levels.buffer, levels.byteOffset, levels.length)
  for (let row = 0; row < signed.length; row += n)
    for (let i = 0; i < n; i++) sums[i] = (sums[i] as number) + (signed[row + i] as number)
  return sums
}
