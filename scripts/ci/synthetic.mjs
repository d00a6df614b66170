// A float model made of a seed that holds every operator with an integer form, in shapes that are no multiple of a
// tile, and the float groups that stand between integer steps. Every branch ends in a product with random weights,
// whose result shows each byte that came before.

import { int64s, tensorFromNumbers } from '../../dist/graph/tensor.js'
import { writeModel } from '../../dist/onnx/index.js'
import { generator } from './feeds.mjs'

/** Inputs: `image` [1,3,19,17], `signal` [1,6,29], `tokens` [2,7,16]. */
export function syntheticModel() {
  const b = new Builder()
  convolutions(b)
  images(b)
  signals(b)
  attention(b)
  unary(b)
  movers(b)
  return writeModel({ graph: b.graph(), metadata: {} })
}

/** Every shape of convolution, a residual, ConvTranspose. Leaves `features`, [1,24,19,17]. */
function convolutions(b) {
  b.add('stem = Conv(image, W, B)', { pads: [1, 1, 1, 1] }, [16, 3, 3, 3], [16])
  b.add('stem_r = Relu(stem)')
  b.add('depth = Conv(stem_r, W, B)', { pads: [1, 1, 1, 1], group: 16 }, [16, 1, 3, 3], [16])
  b.add('depth_r = Clip(depth, LO, HI)', {}, 0, 6)
  b.add('point = Conv(depth_r, W, B)', {}, [16, 16, 1, 1], [16])
  b.add('sum = Add(point, stem_r)')
  b.add('sum_r = Relu(sum)')
  b.add(
    'grouped = Conv(sum_r, W, B)',
    { pads: [2, 2, 2, 2], dilations: [2, 2], group: 4 },
    [24, 4, 3, 3],
    [24],
  )
  b.add('features = LeakyRelu(grouped)', { alpha: 0.125 })
  b.add('wide = Conv(stem_r, W)', { pads: [2, 2, 2, 2], group: 16, strides: [2, 2] }, [32, 1, 5, 5])
  b.add('narrow = Conv(wide, W, B)', { strides: [2, 1] }, [5, 32, 3, 2], [5])
  b.end('narrow', 5)
  b.add(
    'up = ConvTranspose(wide, W, B)',
    { strides: [2, 2], pads: [1, 0, 0, 1], output_padding: [1, 0] },
    [32, 9, 3, 3],
    [9],
  )
  b.end('up', 9)
  b.add('up2 = ConvTranspose(features, W)', { strides: [1, 1], group: 3 }, [24, 4, 2, 2])
  b.end('up2', 12)
}

/** Pools, means, elementwise operators of two values, Concat, Resize, Pad, Gemm. */
function images(b) {
  b.add('max = MaxPool(features)', { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] })
  b.add('avg = AveragePool(features)', { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] })
  b.add('avg_all = AveragePool(features)', {
    kernel_shape: [2, 3],
    strides: [2, 2],
    pads: [1, 1, 0, 1],
    count_include_pad: 1,
  })
  b.add('sub = Sub(max, avg)')
  b.add('mul = Mul(sub, avg_all)')
  b.add('larger = Max(mul, avg)')
  b.add('smaller = Min(larger, max)')
  b.add('slope = PRelu(smaller, SLOPE)', {}, [24, 1, 1])
  b.add('bias = Add(slope, CHANNEL)', {}, [1, 24, 1, 1])
  b.add('joined = Concat(bias, max, mul)', { axis: 1 })
  b.end('joined', 72)
  b.add('near = Resize(bias, , SCALES)', { mode: 'nearest' }, [1, 1, 2, 2].map(Number))
  b.add('linear = Resize(bias, , SCALES)', { mode: 'linear' }, [1, 1, 2, 1.5])
  b.end('near', 24)
  b.end('linear', 24)
  b.add('padded = Pad(bias, PADS)', { mode: 'reflect' }, [0, 0, 1, 2, 0, 0, 0, 1])
  b.add('zeros = Pad(mul, PADS)', {}, [0, 0, 1, 0, 0, 0, 0, 1])
  b.end('padded', 24)
  b.end('zeros', 24)
  b.add('global = GlobalAveragePool(features)')
  b.add('flat = Flatten(global)')
  b.add('hidden = Gemm(flat, W, B)', { transB: 1 }, [33, 24], [33])
  b.add('hidden_r = Relu(hidden)')
  b.add('logits = Gemm(hidden_r, W, B)', {}, [33, 11], [11])
  b.output('logits')
}

/** One spatial axis. */
function signals(b) {
  b.add('s1 = Conv(signal, W, B)', { pads: [2, 2] }, [10, 6, 5], [10])
  b.add('s2 = Relu(s1)')
  b.add('s3 = Conv(s2, W, B)', { pads: [2, 2], dilations: [2], group: 10 }, [10, 1, 3], [10])
  b.add('s4 = MaxPool(s3)', { kernel_shape: [3], strides: [2] })
  b.add('s5 = ReduceMean(s4, AXES)', { keepdims: 1 }, [2])
  b.add('s6 = Mul(s4, s5)')
  b.end('s6', 10)
}

/** Two heads: products of activations, Softmax, LayerNorm, GELU, embeddings. */
function attention(b) {
  b.add('normal = LayerNormalization(tokens, SCALE, BIAS)', { axis: -1 }, [16], [16])
  for (const part of ['q', 'k', 'v']) {
    b.add(`${part}0 = MatMul(normal, W)`, {}, [16, 16])
    b.add(`${part}1 = Add(${part}0, BIAS)`, {}, [16])
    b.add(`${part}2 = Reshape(${part}1, SHAPE)`, {}, [2, 7, 2, 8])
    b.add(`${part}3 = Transpose(${part}2)`, { perm: part === 'k' ? [0, 2, 3, 1] : [0, 2, 1, 3] })
  }
  b.add('scores = MatMul(q3, k3)')
  b.add('weights = Softmax(scores)', { axis: -1 })
  b.add('mixed = MatMul(weights, v3)')
  b.add('mixed_t = Transpose(mixed)', { perm: [0, 2, 1, 3] })
  b.add('merged = Reshape(mixed_t, SHAPE)', {}, [2, 7, 16])
  b.add('attended = MatMul(merged, W)', {}, [16, 16])
  b.add('residual = Add(attended, tokens)')
  b.add('normal2 = LayerNormalization(residual, SCALE, BIAS)', { axis: -1 }, [16], [16])
  b.add('fc = MatMul(normal2, W)', {}, [16, 40])
  b.add('gelu = Gelu(fc)')
  b.add('gelu_t = Gelu(fc)', { approximate: 'tanh' })
  b.add('both = Max(gelu, gelu_t)')
  b.add('gated = Mul(both, gelu)')
  b.output(b.product('gated', 40, 16))
  b.output(b.product('gelu', 40, 3))
}

/** Functions of one value, each by its table of 256 bytes. */
function unary(b) {
  b.add('u0 = Conv(image, W, B)', {}, [8, 3, 3, 3], [8])
  const functions = [
    'Sigmoid(u0)',
    'Tanh(u0)',
    'HardSwish(u0)',
    'Elu(u0)',
    'Erf(u0)',
    'Exp(u0)',
    'Abs(u0)',
    'Neg(u0)',
    'Softplus(u0)',
    'Softsign(u0)',
    'Mish(u0)',
    'HardSigmoid(u0)',
    'Relu(u0)',
  ].map((call, i) => {
    b.add(`f${i} = ${call}`)
    return `f${i}`
  })
  b.add('root = Sqrt(f0)')
  b.add('gate = Mul(u0, f0)')
  b.add('clipped = Clip(u0, LO, HI)', {}, -0.75, 1.5)
  const parts = [...functions, 'root', 'gate', 'clipped']
  b.add(`tables = Concat(${parts.join(', ')})`, { axis: 1 })
  b.end('tables', 8 * parts.length)
}

/** Bytes that only change their place. */
function movers(b) {
  b.add('m0 = Conv(image, W, B)', { strides: [1, 1] }, [12, 3, 4, 2], [12])
  b.add('cut = Slice(m0, STARTS, ENDS, AXES, STEPS)', {}, [0, 15], [16, 3], [2, 3], [2, -1])
  b.add('left, right = Split(cut)', { axis: 1, num_outputs: 2 })
  b.add('space = SpaceToDepth(left)', { blocksize: 2 })
  b.add('depth2 = DepthToSpace(space)', { blocksize: 2, mode: 'CRD' })
  b.add('stacked = Concat(depth2, right)', { axis: 1 })
  b.add('picked = Gather(stacked, INDICES)', { axis: 1 }, [3, 0, 11, -1, 5, 5, 2, 7])
  b.add('first = Unsqueeze(picked, AXES)', {}, [0])
  b.add('second = Squeeze(first, AXES)', {}, [0])
  b.add('turned = Transpose(second)', { perm: [0, 2, 3, 1] })
  b.output(b.product('turned', 8, 5))
}

/** Operands that are integers in ONNX; other arrays of numbers are shapes of random weights. */
const INTEGERS = /^(SHAPE|AXES|PADS|STARTS|ENDS|STEPS|INDICES)$/
const NUMBERS = /^(SCALES|LO|HI)$/
const TEXTS = new Set(['mode', 'approximate'])
const FLOATS = new Set(['alpha'])

class Builder {
  #next = generator(2024)
  #nodes = []
  #outputs = []
  #constants = new Map()

  /** `y = Op(x, W)`: a name in capitals takes the next of `operands`, a shape of random weights or numbers as such. */
  add(text, attributes = {}, ...operands) {
    const [, outputs, opType, inputs] = /^(.*) = (\w+)\((.*)\)$/.exec(text)
    const name = outputs.split(', ')[0]
    this.#nodes.push({
      name,
      opType,
      domain: '',
      inputs: inputs.split(', ').map((input) => {
        if (!/^[A-Z]+$/.test(input)) return input
        this.#constants.set(`${name}.${input}`, this.#constant(input, operands.shift()))
        return `${name}.${input}`
      }),
      outputs: outputs.split(', '),
      attributes: Object.fromEntries(
        Object.entries(attributes).map(([key, value]) => {
          const one = TEXTS.has(key) ? 'string' : FLOATS.has(key) ? 'float' : 'int'
          return [key, { kind: Array.isArray(value) ? 'ints' : one, value }]
        }),
      ),
    })
    return name
  }

  #constant(kind, value) {
    if (INTEGERS.test(kind)) return int64s(value)
    if (NUMBERS.test(kind)) {
      return tensorFromNumbers('float32', Array.isArray(value) ? [value.length] : [], [value].flat())
    }
    const size = value.reduce((p, d) => p * d, 1)
    // Variance that keeps the magnitude of what comes in; small integers over a power of two are exact.
    const fan = kind === 'W' ? value.slice(1).reduce((p, d) => p * d, 1) : 8
    const scale = 2 ** -Math.round(Math.log2(Math.sqrt(fan)) + 11)
    const numbers = Array.from({ length: size }, () => ((this.#next() % 8192) - 4095.5) * scale)
    return tensorFromNumbers('float32', value, numbers)
  }

  /** x [..., channels] times random weights. */
  product(x, channels, outputs) {
    return this.add(`${x}_product = MatMul(${x}, W)`, {}, [channels, outputs])
  }

  /** Ends a branch of channels in axis 1. */
  end(x, channels) {
    const rank = x.startsWith('s') && x.length === 2 ? 1 : 2
    this.output(this.add(`${x}_end = Conv(${x}, W)`, {}, [5, channels, ...Array(rank).fill(1)]))
  }

  output(name) {
    this.#outputs.push(name)
  }

  graph() {
    const input = (...shape) => ({ dtype: 'float32', shape })
    const types = { image: input(1, 3, 19, 17), signal: input(1, 6, 29), tokens: input(2, 7, 16) }
    return {
      name: 'synthetic',
      inputs: Object.keys(types),
      outputs: this.#outputs,
      nodes: this.#nodes,
      constants: this.#constants,
      types: new Map(Object.entries(types)),
      captures: [],
    }
  }
}
