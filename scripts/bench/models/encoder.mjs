// An encoder of MiniLM's shape (6 layers, 384 wide, 12 heads, 1536 feed-forward; Wang et al. 2020) over embedded tokens
// [1, tokens, 384], in the operators that PyTorch exports: GELU by Erf, attention as products and transpositions.
import { Builder } from './builder.mjs'

const LAYERS = 6
const WIDTH = 384
const HEADS = 12
const HIDDEN = 1536

export function encoder() {
  const b = new Builder(384)
  let x = b.input('embeddings', 'float32', [1, 'tokens', WIDTH])
  for (let i = 0; i < LAYERS; ++i) {
    x = normalized(b, b.node('Add', [attention(b, x), x]))
    x = normalized(b, b.node('Add', [feedForward(b, x), x]))
  }
  b.output(x)
  return b.model('encoder')
}

function attention(b, x) {
  const q = heads(b, b.linear(x, WIDTH, WIDTH), [0, 2, 1, 3])
  const k = heads(b, b.linear(x, WIDTH, WIDTH), [0, 2, 3, 1])
  const v = heads(b, b.linear(x, WIDTH, WIDTH), [0, 2, 1, 3])
  const scores = b.node('Div', [b.node('MatMul', [q, k]), b.floats([Math.sqrt(WIDTH / HEADS)], [])])
  const mixed = b.node('MatMul', [b.node('Softmax', [scores], { axis: -1 }), v])
  const merged = b.node('Reshape', [
    b.node('Transpose', [mixed], { perm: [0, 2, 1, 3] }),
    b.integers([1, -1, WIDTH]),
  ])
  return b.linear(merged, WIDTH, WIDTH)
}

function heads(b, x, perm) {
  return b.node('Transpose', [b.node('Reshape', [x, b.integers([1, -1, HEADS, WIDTH / HEADS])])], { perm })
}

function feedForward(b, x) {
  const wide = b.linear(x, WIDTH, HIDDEN)
  const erf = b.node('Erf', [b.node('Div', [wide, b.floats([Math.SQRT2], [])])])
  const gelu = b.node('Mul', [
    b.node('Mul', [wide, b.node('Add', [erf, b.floats([1], [])])]),
    b.floats([0.5], []),
  ])
  return b.linear(gelu, HIDDEN, WIDTH, 1.5)
}

function normalized(b, x) {
  const ones = new Array(WIDTH).fill(1)
  return b.node('LayerNormalization', [x, b.floats(ones), b.weights([WIDTH], 0.05)], {
    axis: -1,
    epsilon: { float: 1e-12 },
  })
}
