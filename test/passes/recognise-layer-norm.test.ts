import { describe, it } from 'vitest'
import { recogniseLayerNorm } from '../../lib/passes/recognise-layer-norm.js'
import { expectRewrite, expectUntouched } from './golden.js'

const graphOf = (axis: number, ...lines: string[]) => `
  graph g (x: float32[2, 3]) -> (y: ?)
    axis: int64[1] = ${axis}
    two: float32[] = 2
    epsilon: float32[] = 1e-5
    gamma: float32[3] = 1 2 3
    beta: float32[3] = 4 5 6
    ${lines.join('\n    ')}
`

const centred = [
  'm = ReduceMean(x, axis)',
  'd = Sub(x, m)',
  'p = Pow(d, two)',
  'v = ReduceMean(p, axis)',
  'e = Add(v, epsilon)',
  's = Sqrt(e)',
  'n = Div(d, s)',
]

describe('recogniseLayerNorm', () => {
  it('finds LayerNormalization with its bias', () =>
    expectRewrite(
      recogniseLayerNorm,
      graphOf(-1, ...centred, 'g = Mul(n, gamma)', 'y = Add(g, beta)'),
      `
      graph g (x: float32[2, 3]) -> (y: ?)
        gamma: float32[3] = 1 2 3
        beta: float32[3] = 4 5 6
        y = LayerNormalization(x, gamma, beta) {axis=-1, epsilon=0.00001}
      `,
    ))

  it('finds it without a bias', () =>
    expectRewrite(
      recogniseLayerNorm,
      graphOf(-1, ...centred, 'y = Mul(gamma, n)'),
      `
      graph g (x: float32[2, 3]) -> (y: ?)
        gamma: float32[3] = 1 2 3
        y = LayerNormalization(x, gamma) {axis=-1, epsilon=0.00001}
      `,
    ))

  it('finds RMSNormalization', () =>
    expectRewrite(
      recogniseLayerNorm,
      graphOf(
        -1,
        'p = Mul(x, x)',
        'v = ReduceMean(p, axis)',
        'e = Add(epsilon, v)',
        's = Sqrt(e)',
        'r = Reciprocal(s)',
        'n = Mul(x, r)',
        'y = Mul(gamma, n)',
      ),
      `
      graph g (x: float32[2, 3]) -> (y: ?)
        gamma: float32[3] = 1 2 3
        y = RMSNormalization(x, gamma) {axis=-1, epsilon=0.00001}
      `,
    ))

  it('leaves other axes alone', () =>
    expectUntouched(recogniseLayerNorm, graphOf(0, ...centred, 'y = Mul(n, gamma)')))

  it('leaves a deviation of something else', () =>
    expectUntouched(
      recogniseLayerNorm,
      graphOf(-1, ...centred.slice(0, -1), 'n = Div(x, s)', 'y = Mul(n, gamma)'),
    ))
})
