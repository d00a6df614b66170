/** Files with activations that are quantized while running, as the quantizer writes them. */
import { symbol } from '../../lib/graph/expr.js'
import type { Attribute, Graph } from '../../lib/graph/graph.js'
import { Names } from '../../lib/graph/names.js'
import { tensorOf } from '../../lib/graph/tensor.js'
import { writeModel } from '../../lib/onnx/index.js'
import { ConstantPool } from '../../lib/quantize/write/constant-pool.js'
import { writeRunningProduct } from '../../lib/quantize/write/dynamic-product.js'
import { quantizeRunning, type RunningScales } from '../../lib/quantize/write/dynamic-rows.js'
import { QdqNodes } from '../../lib/quantize/write/nodes.js'

export interface RunningFile {
  readonly x: readonly (number | string)[]
  /** Sizes of the weights, for each product of the one input. */
  readonly products: readonly {
    readonly w: readonly number[]
    readonly scales: number
    readonly bias?: readonly number[]
  }[]
  readonly how: RunningScales
  readonly conv?: Readonly<Record<string, Attribute>>
}

export const elements = (dims: readonly number[]) => dims.reduce((p, d) => p * d, 1)

/** A graph of products `y0`, `y1`, ... of the input `x`. */
function runningGraph({ x, products, how, conv }: RunningFile): Graph {
  const names = new Names(['x'])
  const nodes = new QdqNodes(names)
  const pool = new ConstantPool(new Map(), names)
  const a = quantizeRunning(nodes, pool, 'x', how)
  const outputs = products.map(({ w, scales, bias }, p) => {
    const weights = {
      dims: w,
      levels: Uint8Array.from({ length: elements(w) }, (_, i) => (i * 53 + 7 * p + (i >> 3)) % 256),
      scales: Float32Array.from({ length: scales }, (_, i) => 0.003 * (i + 1)),
    }
    const output = names.fresh(`y${p}`)
    const values = bias && Float32Array.from({ length: elements(bias) }, (_, i) => 0.17 * i - 0.3)
    const name = values && pool.add('bias', tensorOf('float32', bias, values))
    writeRunningProduct(nodes, pool, { a, weights, bias: name, conv, output })
    return output
  })
  return {
    name: 'running',
    nodes: nodes.list,
    constants: pool.used(nodes.reads()),
    inputs: ['x'],
    outputs,
    types: new Map([
      ['x', { dtype: 'float32', shape: x.map((size) => (typeof size === 'number' ? size : symbol(size))) }],
    ]),
    captures: [],
  }
}

/** The same as the bytes of a file. */
export function runningFile(file: RunningFile): Uint8Array {
  return writeModel({ graph: runningGraph(file), opset: 21, irVersion: 10, producer: '', metadata: {} })
}
