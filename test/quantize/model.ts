/** A float model as a file, and samples of it. */
import { mulberry32 } from '../../lib/calibrate/reservoir.js'
import type { Graph } from '../../lib/graph/graph.js'
import { writeModel } from '../../lib/onnx/index.js'
import { Tensor } from '../../lib/session/tensor.js'
import { graph, node, noise, numbers } from './graphs.js'

const DIMS = [1, 3, 8, 8]

/** Bytes of the file of a graph. */
export function fileOf(float: Graph): Uint8Array {
  return writeModel({ graph: float, opset: 21, irVersion: 10, producer: 'test', metadata: {} }, {})
}

/** Every kind of quantized value: of a product with and without a bound, of a table, a sum, a mover, a pool, of a fixed range, a constant operand. */
export function variedNet(): Graph {
  return graph({
    inputs: { x: DIMS },
    outputs: ['y'],
    nodes: [
      node('c1 = Conv(x, w1, b1)', { pads: [1, 1, 1, 1] }),
      node('r1 = Relu(c1)'),
      node('c2 = Conv(r1, w2)', { pads: [1, 1, 1, 1] }),
      node('h2 = HardSwish(c2)'),
      node('s = Add(h2, r1)'),
      node('k = Add(s, offset)'),
      node('t = Transpose(k)', { perm: [0, 1, 3, 2] }),
      node('g = Sigmoid(t)'),
      node('m = Mul(t, g)'),
      node('p = GlobalAveragePool(m)'),
      node('f = Flatten(p)'),
      node('y = Gemm(f, w3, b3)'),
    ],
    constants: {
      w1: noise(4, 3, 3, 3),
      b1: noise(4),
      w2: noise(4, 4, 3, 3),
      offset: noise(1, 4, 1, 1),
      w3: noise(4, 5),
      b3: numbers([0.1, -0.2, 0.3, -0.4, 0.5]),
    },
  })
}

/** Values in (-reach, reach). */
export function samplesOf(count: number, reach = 1, seed = 9): { readonly x: Tensor }[] {
  const random = mulberry32(seed)
  const elements = DIMS.reduce((n, d) => n * d, 1)
  return Array.from({ length: count }, () => ({
    x: new Tensor(
      'float32',
      Float32Array.from({ length: elements }, () => reach * (2 * random() - 1)),
      DIMS,
    ),
  }))
}
