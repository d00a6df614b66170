// A float ONNX graph with weights made of a seed, op by op: each method adds a node and returns the name of its value.

import { symbol } from '../../../dist/graph/expr.js'
import { int64s, tensorFromNumbers } from '../../../dist/graph/tensor.js'
import { writeModel } from '../../../dist/onnx/index.js'

export class Builder {
  #random
  #nodes = []
  #types = new Map()
  #inputs = []
  #outputs = []
  #constants = new Map()
  #count = 0

  constructor(seed) {
    this.#random = uniform(seed)
  }

  /** shape: sizes, or names of those that are open. */
  input(name, dtype, shape) {
    this.#types.set(name, { dtype, shape: shape.map(sizeOf) })
    this.#inputs.push(name)
    return name
  }

  /** type: { dtype, shape }, for who reads the file without inference. */
  output(value, type) {
    if (type) this.#types.set(value, { dtype: type.dtype, shape: type.shape.map(sizeOf) })
    this.#outputs.push(value)
  }

  /** attributes: integers, lists of integers, texts, or { float: number }. Without `outputs` there is one, whose name is made up. */
  node(opType, inputs, attributes = {}, { domain = '', outputs } = {}) {
    const name = `${opType}_${this.#count++}`
    const made = outputs ?? [`${name}_out`]
    this.#nodes.push({
      name,
      opType,
      domain,
      inputs,
      outputs: made,
      attributes: Object.fromEntries(
        Object.entries(attributes).map(([key, value]) => [key, attribute(value)]),
      ),
    })
    return made[0]
  }

  /** Whether a node makes the value. */
  has(value) {
    return this.#nodes.some(({ outputs }) => outputs.includes(value))
  }

  /** A constant of any type. */
  tensor(tensor) {
    return this.#constant(tensor)
  }

  /** Gaussian weights of the given deviation. */
  weights(shape, deviation) {
    const data = new Float32Array(shape.reduce((p, d) => p * d, 1))
    for (let i = 0; i < data.length; ++i) data[i] = gaussian(this.#random) * deviation
    return this.#constant(tensorFromNumbers('float32', shape, data))
  }

  floats(values, shape = [values.length]) {
    return this.#constant(tensorFromNumbers('float32', shape, values))
  }

  integers(values) {
    return this.#constant(int64s(values))
  }

  /** Convolution with bias, its batch normalization folded in, that keeps the variance of its input times gain². */
  conv(x, inputs, outputs, kernel, { stride = 1, group = 1, gain = 1, pad = (kernel - 1) >> 1 } = {}) {
    const fan = (inputs / group) * kernel * kernel
    return this.node(
      'Conv',
      [
        x,
        this.weights([outputs, inputs / group, kernel, kernel], gain / Math.sqrt(fan)),
        this.weights([outputs], 0.05),
      ],
      { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: [pad, pad, pad, pad], group },
    )
  }

  /** x [..., inputs] times [inputs, outputs], plus bias. */
  linear(x, inputs, outputs, gain = 1) {
    const product = this.node('MatMul', [x, this.weights([inputs, outputs], gain / Math.sqrt(inputs))])
    return this.node('Add', [product, this.weights([outputs], 0.05)])
  }

  relu(x) {
    return this.node('Relu', [x])
  }

  relu6(x) {
    return this.node('Clip', [x, this.floats([0], []), this.floats([6], [])])
  }

  /** Global mean and the layer of classes. */
  classes(x, channels, count) {
    const flat = this.node('Flatten', [this.node('GlobalAveragePool', [x])])
    const w = this.weights([count, channels], 1 / Math.sqrt(channels))
    this.output(this.node('Gemm', [flat, w, this.weights([count], 0.05)], { transB: 1 }))
  }

  /** The bytes of the model. */
  model(name) {
    return writeModel({
      graph: {
        name,
        inputs: this.#inputs,
        outputs: this.#outputs,
        nodes: this.#nodes,
        constants: this.#constants,
        types: this.#types,
        captures: [],
      },
      metadata: {},
    })
  }

  #constant(tensor) {
    const name = `constant_${this.#count++}`
    this.#constants.set(name, tensor)
    return name
  }
}

const sizeOf = (size) => (typeof size === 'string' ? symbol(size) : size)

function attribute(value) {
  if (Array.isArray(value)) return { kind: 'ints', value }
  if (typeof value === 'string') return { kind: 'string', value }
  return typeof value === 'object' ? { kind: 'float', value: value.float } : { kind: 'int', value }
}

/** xorshift32 in (0, 1). */
export function uniform(seed) {
  let x = seed | 1
  return () => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return ((x >>> 0) + 0.5) / 2 ** 32
  }
}

/** Sum of four uniforms: deviation 1, and the same bits on every machine, which Math.log does not promise. */
export function gaussian(random) {
  return (random() + random() + random() + random() - 2) * Math.sqrt(3)
}
