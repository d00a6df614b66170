/** Faults planted in a quantized graph, as a broken tool would leave them, and in a float one, as training does. */
import type { ConstantTensor, Graph, Node } from '../../../lib/graph/graph.js'
import { numbersOf, tensorFromNumbers } from '../../../lib/graph/tensor.js'
import { graph, node, noise } from '../graphs.js'

/** Layer k reads r(k-1), makes c(k) and r(k): four convolutions, a pool, a Gemm. */
export function chain(
  change: (name: string, weights: ConstantTensor) => ConstantTensor = (_, w) => w,
): Graph {
  const constants = {
    w1: noise(8, 3, 3, 3),
    w2: noise(8, 8, 3, 3),
    w3: noise(8, 8, 3, 3),
    w4: noise(8, 8, 3, 3),
    w5: noise(8, 5),
  }
  const pads = [1, 1, 1, 1]
  return graph({
    inputs: { x: [1, 3, 8, 8] },
    outputs: ['y'],
    nodes: [
      ...[1, 2, 3, 4].flatMap((k) => [
        node(`c${k} = Conv(${k === 1 ? 'x' : `r${k - 1}`}, w${k})`, { pads }),
        node(`r${k} = Relu(c${k})`),
      ]),
      node('p = GlobalAveragePool(r4)'),
      node('f = Flatten(p)'),
      node('y = Gemm(f, w5)'),
    ],
    constants: Object.fromEntries(Object.entries(constants).map(([name, w]) => [name, change(name, w)])),
  })
}

/** One channel of r2 is far larger than the others, and the weights that read it are as much smaller. */
export function chainWithOutliers(factor: number): Graph {
  return chain((name, weights) => {
    const scaled = numbersOf(weights).map((w, i) => {
      if (name === 'w2' && i < 72) return w * factor
      return name === 'w3' && Math.floor(i / 9) % 8 === 0 ? w / factor : w
    })
    return tensorFromNumbers('float32', weights.dims, Array.from(scaled))
  })
}

/** The scale of a value is `factor` times too large, wherever it is quantized and dequantized. */
export function scaleTimes(quantized: Graph, value: string, factor: number): Graph {
  const { maker, readers } = around(quantized, value)
  const scale = constantOf(quantized, maker.inputs[1])
  const wrong = tensorFromNumbers(
    'float32',
    scale.dims,
    Array.from(numbersOf(scale), (s) => s * factor),
  )
  return withInput(quantized, [maker, ...readers], 1, wrong)
}

/** The zero point of a value is off by so much, wherever it is quantized and dequantized: its range lies elsewhere. */
export function zeroPointOff(quantized: Graph, value: string, by: number): Graph {
  const { maker, readers } = around(quantized, value)
  const zero = constantOf(quantized, maker.inputs[2])
  const wrong = Array.from(numbersOf(zero), (z) => (z + by > 127 ? z - by : z + by))
  return withInput(quantized, [maker, ...readers], 2, tensorFromNumbers(zero.dtype, zero.dims, wrong))
}

/** All weights of an output channel of a convolution are 0. */
export function deadChannel(quantized: Graph, convolution: string, channel: number): Graph {
  const product = quantized.nodes.find((n) => n.outputs[0] === convolution)
  const reader = quantized.nodes.find((n) => n.outputs[0] === product?.inputs[1])
  if (!reader) throw new Error(`${convolution} has no quantized weights`)
  const levels = constantOf(quantized, reader.inputs[0])
  const perChannel = numbersOf(levels).length / (levels.dims[0] as number)
  const dead = Array.from(numbersOf(levels), (w, i) => (Math.floor(i / perChannel) === channel ? 0 : w))
  return withInput(quantized, [reader], 0, tensorFromNumbers(levels.dtype, levels.dims, dead))
}

function around(
  quantized: Graph,
  value: string,
): { readonly maker: Node; readonly readers: readonly Node[] } {
  const maker = quantized.nodes.find((n) => n.opType === 'QuantizeLinear' && n.inputs[0] === value)
  if (!maker) throw new Error(`${value} is not quantized`)
  const readers = quantized.nodes.filter(
    (n) => n.opType === 'DequantizeLinear' && n.inputs[0] === maker.outputs[0],
  )
  return { maker, readers }
}

function constantOf(quantized: Graph, name: string | undefined): ConstantTensor {
  const constant = quantized.constants.get(name ?? '')
  if (!constant) throw new Error(`${name} is not a constant`)
  return constant
}

/** These nodes read a constant of their own: others may share the one that they had. */
function withInput(
  quantized: Graph,
  nodes: readonly Node[],
  position: number,
  constant: ConstantTensor,
): Graph {
  const changed = quantized.nodes.map((n) =>
    nodes.includes(n) ? { ...n, inputs: n.inputs.with(position, 'planted') } : n,
  )
  return { ...quantized, nodes: changed, constants: new Map([...quantized.constants, ['planted', constant]]) }
}
