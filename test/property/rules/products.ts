/** Integer products: Conv, ConvTranspose, Gemm, MatMul of weights and of two values, recurrent layers. */
import type { Growth, Rule, Value } from '../growth.js'

const product = (list: readonly number[]) => list.reduce((n, d) => n * d, 1)

/** Weights for a sum of `terms` products, a bias half of the time, and the size of the result. */
function weights(g: Growth, x: Value, dims: readonly number[], terms: number, channels: number) {
  const size = Math.max(1e-4, Math.min(1e4, x.size * g.gain(x.size)))
  const w = g.normal(dims, size / x.size / Math.sqrt(terms))
  return { size, w, bias: g.random.chance(0.5) ? [g.normal([channels], size * 0.3)] : [] }
}

const conv: Rule = (g) => {
  const x = g.pick((v) => v.dims.length >= 3 && (v.dims[1] as number) <= 32)
  if (!x) return
  const [from, ...space] = x.dims.slice(1) as [number, ...number[]]
  const r = g.random
  const depthwise = from > 1 && r.chance(0.25)
  const group = depthwise ? from : from % 2 === 0 && r.chance(0.1) ? 2 : 1
  const to = depthwise ? from * r.pick([1, 1, 2]) : group * r.integer(2, 6)
  const kernel = space.map((n) => (n >= 3 && r.chance(0.6) ? 3 : 1))
  const dilation = r.chance(0.1) ? 2 : 1
  const strides = space.map((n) => (n >= 4 && r.chance(0.2) ? 2 : 1))
  const pads = kernel.map((k) => (k === 1 ? 0 : dilation))
  const { size, w, bias } = weights(g, x, [to, from / group, ...kernel], (from / group) * product(kernel), to)
  const sizes = space.map((n, i) => {
    const reach = dilation * ((kernel[i] as number) - 1) + 1
    return Math.floor((n + 2 * (pads[i] as number) - reach) / (strides[i] as number)) + 1
  })
  const dilations = space.map(() => dilation)
  return g.node('Conv', [x, w, ...bias], [x.dims[0] as number, to, ...sizes], size, {
    group,
    strides,
    dilations,
    pads: [...pads, ...pads],
  })
}

const convTranspose: Rule = (g) => {
  const x = g.ofRank(4)
  if (!x) return
  const [from, h, w] = x.dims.slice(1) as [number, number, number]
  const to = g.random.integer(2, 6)
  const stride = g.random.pick([1, 2])
  const made = weights(g, x, [from, to, 2, 2], from * 2, to)
  const sizes = [h, w].map((n) => (n - 1) * stride + 2)
  return g.node('ConvTranspose', [x, made.w, ...made.bias], [x.dims[0] as number, to, ...sizes], made.size, {
    strides: [stride, stride],
  })
}

const gemm: Rule = (g) => {
  const x = g.ofRank(2)
  if (!x) return
  const [rows, from] = x.dims as [number, number]
  const to = g.random.integer(2, 12)
  const transB = Number(g.random.chance(0.5))
  const alpha = g.random.chance(0.2) ? g.random.uniform(0.2, 3) : 1
  const { size, w, bias } = weights(g, x, transB ? [to, from] : [from, to], from, to)
  return g.node('Gemm', [x, w, ...bias], [rows, to], size * alpha, { transB, alpha: { float: alpha } })
}

const matmul: Rule = (g) => {
  const x = g.pick((v) => v.dims.length >= 2)
  if (!x) return
  const from = x.dims.at(-1) as number
  const to = g.random.integer(2, 12)
  const { size, w, bias } = weights(g, x, [from, to], from, to)
  const y = g.node('MatMul', [x, w], [...x.dims.slice(0, -1), to], size)
  return bias[0] === undefined ? y : g.node('Add', [y, bias[0]], y.dims, size)
}

/** a b^T of two values with the same last size. */
const pairs: Rule = (g) => {
  const a = g.ofRank(3)
  const b = a && g.pick((v) => v.dims.length === 3 && v.dims[2] === a.dims[2] && v.dims[0] === a.dims[0])
  if (!a || !b) return
  const [batch, rows, depth] = a.dims as [number, number, number]
  const columns = b.dims[1] as number
  const size = a.size * b.size * Math.sqrt(depth)
  if (size > 1e6 || size < 1e-6) return
  const turned = g.node('Transpose', [b], [batch, depth, columns], b.size, { perm: [0, 2, 1] })
  return g.node('MatMul', [a, turned], [batch, rows, columns], size)
}

/** Attention of one head, with a constant mask half of the time. */
const attention: Rule = (g) => {
  const x = g.ofRank(3)
  if (!x) return
  const [batch, rows, from] = x.dims as [number, number, number]
  const part = () =>
    g.node('MatMul', [x, g.normal([from, 6], 1 / x.size / Math.sqrt(from))], [batch, rows, 6], 1)
  const [q, k, v] = [part(), part(), part()]
  const turned = g.node('Transpose', [k], [batch, 6, rows], 1, { perm: [0, 2, 1] })
  let scores = g.node('MatMul', [q, turned], [batch, rows, rows], 2.5)
  scores = g.node('Div', [scores, g.scalar(Math.sqrt(6))], scores.dims, 1)
  if (g.random.chance(0.5)) {
    const off = g.random.pick([-1e4, -1e9, -3.4e38])
    const mask = g.constant([rows, rows], (i) => (i % rows > Math.floor(i / rows) ? off : 0))
    scores = g.node('Add', [scores, mask], scores.dims, 1)
  }
  const shares = g.node('Softmax', [scores], scores.dims, 0.5, { axis: -1 })
  return g.node('MatMul', [shares, v], [batch, rows, 6], 0.6)
}

const recurrent: Rule = (g) => {
  const x = g.pick((v) => v.dims.length === 3 && v.dims[0] === 1)
  if (!x) return
  const [, steps, from] = x.dims as [number, number, number]
  const [op, gates] = g.random.pick([
    ['LSTM', 4],
    ['GRU', 3],
    ['RNN', 1],
  ] as const)
  const hidden = 6
  const first = g.node('Transpose', [x], [steps, 1, from], x.size, { perm: [1, 0, 2] })
  const w = g.normal([1, gates * hidden, from], 1 / x.size / Math.sqrt(from))
  const r = g.normal([1, gates * hidden, hidden], 0.4)
  const y = g.node(op, [first, w, r], [steps, 1, 1, hidden], 0.4, { hidden_size: hidden })
  const flat = g.node('Squeeze', [y, g.int64([1])], [steps, 1, hidden], 0.4)
  return g.node('Transpose', [flat], [1, steps, hidden], 0.4, { perm: [1, 0, 2] })
}

/** Weighted ones are written more than once: a graph is mostly made of them. */
export const products: readonly Rule[] = [
  conv,
  conv,
  conv,
  gemm,
  gemm,
  matmul,
  matmul,
  convTranspose,
  pairs,
  attention,
  recurrent,
]
