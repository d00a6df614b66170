import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { recogniseNorm } from '../../lib/passes/recognise-norm.js'
import { expectRewrite, expectUntouched } from './golden.js'
import { expectSameAnswers, noise } from './same-answers.js'

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

describe('recogniseNorm', () => {
  it('finds LayerNormalization with its bias', () =>
    expectRewrite(
      recogniseNorm,
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
      recogniseNorm,
      graphOf(-1, ...centred, 'y = Mul(gamma, n)'),
      `
      graph g (x: float32[2, 3]) -> (y: ?)
        gamma: float32[3] = 1 2 3
        y = LayerNormalization(x, gamma) {axis=-1, epsilon=0.00001}
      `,
    ))

  it('finds RMSNormalization', () =>
    expectRewrite(
      recogniseNorm,
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

  it('moves another axis to the end; a scale along an axis that is not normalized stays', () =>
    expectRewrite(
      recogniseNorm,
      graphOf(0, ...centred, 'y = Mul(n, gamma)'),
      `
      graph g (x: float32[2, 3]) -> (y: ?)
        gamma: float32[3] = 1 2 3
        Div_n:scale: float32[2] = 1 1
        Div_n:moved = Transpose(x) {perm=[1, 0]}
        Div_n:normalized = LayerNormalization(Div_n:moved, Div_n:scale) {axis=-1, epsilon=0.00001}
        n = Transpose(Div_n:normalized) {perm=[1, 0]}
        y = Mul(n, gamma)
      `,
    ))

  it('leaves a deviation of something else', () =>
    expectUntouched(
      recogniseNorm,
      graphOf(-1, ...centred.slice(0, -1), 'n = Div(x, s)', 'y = Mul(n, gamma)'),
    ))

  it('finds the norm over channels of ConvNeXt: scale and bias of [C, 1, 1]', () =>
    expectRewrite(
      recogniseNorm,
      picture(
        'm = ReduceMean(x, channel)',
        'd = Sub(x, m)',
        'e = Sub(x, m)',
        'p = Pow(d, two)',
        'v = ReduceMean(p, channel)',
        'a = Add(v, epsilon)',
        's = Sqrt(a)',
        'n = Div(e, s)',
        'g = Mul(k, n)',
        'y = Add(g, k)',
      ),
      `
      graph g (x: float32[n, 2, 3, 3]) -> (y: ?)
        Add_y:scale: float32[2] = 3 4
        Add_y:bias: float32[2] = 3 4
        Add_y:moved = Transpose(x) {perm=[0, 2, 3, 1]}
        Add_y:normalized = LayerNormalization(Add_y:moved, Add_y:scale, Add_y:bias) {axis=-1, epsilon=0.00001}
        y = Transpose(Add_y:normalized) {perm=[0, 3, 1, 2]}
      `,
    ))

  it('finds InstanceNormalization, with GlobalAveragePool as the mean', () =>
    expectRewrite(
      recogniseNorm,
      picture(
        'm = GlobalAveragePool(x)',
        'd = Sub(x, m)',
        'p = Mul(d, d)',
        'v = GlobalAveragePool(p)',
        'a = Add(epsilon, v)',
        's = Sqrt(a)',
        'n = Div(d, s)',
        'y = Mul(n, k)',
      ),
      `
      graph g (x: float32[n, 2, 3, 3]) -> (y: ?)
        Mul_y:scale: float32[2] = 3 4
        Mul_y:bias: float32[2] = 0 0
        y = InstanceNormalization(x, Mul_y:scale, Mul_y:bias) {epsilon=0.00001}
      `,
    ))

  it('finds the form of TensorFlow: x * k + (bias - mean * k)', () =>
    expectRewrite(
      recogniseNorm,
      graphOf(
        -1,
        ...centred.slice(0, 6),
        'i = Reciprocal(s)',
        'k = Mul(i, gamma)',
        'xk = Mul(x, k)',
        'mk = Mul(m, k)',
        'o = Sub(beta, mk)',
        'y = Add(xk, o)',
      ),
      `
      graph g (x: float32[2, 3]) -> (y: ?)
        gamma: float32[3] = 1 2 3
        beta: float32[3] = 4 5 6
        y = LayerNormalization(x, gamma, beta) {axis=-1, epsilon=0.00001}
      `,
    ))

  it('takes the norm of a vector as a root mean square', () =>
    expectRewrite(
      recogniseNorm,
      graphOf(-1, 'l = ReduceL2(x, axis)', 'y = Div(x, l)')
        .replaceAll('3]', '4]')
        .replace('1 2 3', '1 2 3 4')
        .replace('4 5 6', '4 5 6 7'),
      `
      graph g (x: float32[2, 4]) -> (y: ?)
        Div_y:scale: float32[1] = 0.5
        y = RMSNormalization(x, Div_y:scale) {axis=-1, epsilon=0.0}
      `,
    ))

  it.each([
    [
      'an epsilon outside the root',
      graphOf(-1, ...centred.slice(0, 4), 's = Sqrt(v)', 'e = Add(s, epsilon)', 'y = Div(d, e)'),
    ],
    [
      'a norm that is at least epsilon',
      graphOf(-1, 'l = ReduceL2(x, axis)', 'e = Max(l, epsilon)', 'y = Div(x, e)'),
    ],
    [
      'means over different axes',
      graphOf(
        -1,
        'm = ReduceMean(x, axis)',
        'd = Sub(x, m)',
        'p = Mul(d, d)',
        'v = ReduceMean(p, axis)',
        'e = Add(v, epsilon)',
        's = Sqrt(e)',
        'f = Sub(x, beta)',
        'y = Div(f, s)',
      ),
    ],
    [
      'a mean whose axes are gone',
      graphOf(
        -1,
        'm = ReduceMean(x, axis) {keepdims=0}',
        'u = Unsqueeze(m, axis)',
        'p = Mul(x, x)',
        'v = ReduceMean(p, axis) {keepdims=0}',
        'w = Unsqueeze(v, axis)',
        's = Sqrt(w)',
        'y = Div(x, s)',
      ),
    ],
    [
      'a mean of squares minus the square of the mean',
      graphOf(
        -1,
        'm = ReduceMean(x, axis)',
        'd = Sub(x, m)',
        'p = Mul(x, x)',
        'q = ReduceMean(p, axis)',
        'r = Mul(m, m)',
        'v = Sub(q, r)',
        's = Sqrt(v)',
        'y = Div(d, s)',
      ),
    ],
    [
      'sizes that only the data says, over the last axis',
      graphOf(-1, ...centred).replaceAll('x: float32[2, 3]) -> (y: ?)', 'x: float32[k, k]) -> (n: ?)'),
    ],
  ])('leaves %s', (_, text) => expectUntouched(recogniseNorm, text))

  it('merges no weights where they will change', () =>
    expectUntouched(
      recogniseNorm,
      picture(
        'p = Mul(x, x)',
        'v = ReduceMean(p, channel)',
        'a = Add(v, epsilon)',
        's = Sqrt(a)',
        'n = Div(x, s)',
        'y = Mul(n, k)',
      ).replace('[1] = 1', '[2] = 1 2'),
      { selection: 'training' },
    ))

  it('gives the answers of what was spelt out, in every spelling', async () => {
    const shape = [2, 3, 4, 5]
    const axes = fc.constantFrom([1], [2], [3], [-1], [2, 3], [-2, -1], [1, 2, 3], [0, 2], [1, 3])
    const spelling = fc.record({
      axes,
      centred: fc.boolean(),
      twice: fc.boolean(),
      square: fc.constantFrom('Mul', 'Pow', 'ReduceSumSquare'),
      mean: fc.constantFrom('ReduceMean', 'ReduceSum'),
      unbiased: fc.boolean(),
      epsilon: fc.constantFrom(undefined, 1e-5, 0.25),
      root: fc.constantFrom('Div', 'Reciprocal', 'OneOver', 'Power'),
      scale: fc.constantFrom(undefined, '', '5', '3, 1, 1', '1, 3, 1, 1', '4, 5', '4, 1', '1, 1, 1, 5'),
      bias: fc.constantFrom(undefined, '', '5', '3, 1, 1', '4, 5'),
      inner: fc.boolean(),
    })
    let found = 0
    await fc.assert(
      fc.asyncProperty(spelling, async (form) => {
        const text = spelt(shape, form)
        const after = await expectSameAnswers(recogniseNorm, text, { scale: 3, shift: 1, within: 2e-5 })
        if (after.nodes.some(({ opType }) => /Normalization$/.test(opType))) found++
      }),
      { numRuns: 120, seed: 9 },
    )
    expect(found).toBeGreaterThan(100)
  })
})

const picture = (...lines: string[]) => `
  graph g (x: float32[n, 2, 3, 3]) -> (y: ?)
    channel: int64[1] = 1
    two: float32[] = 2
    epsilon: float32[1] = 1e-5
    k: float32[2, 1, 1] = 3 4
    ${lines.join('\n    ')}
`

interface Spelling {
  readonly axes: readonly number[]
  readonly centred: boolean
  readonly twice: boolean
  readonly square: string
  readonly mean: string
  readonly unbiased: boolean
  readonly epsilon: number | undefined
  readonly root: string
  readonly scale: string | undefined
  readonly bias: string | undefined
  readonly inner: boolean
}

/** A normalization as text, written in this way. */
function spelt(shape: readonly number[], form: Spelling): string {
  const count = form.axes.reduce((n, axis) => n * (shape.at(axis) as number), 1)
  const constants: string[] = []
  const constant = (name: string, dims: string, seed: number) => {
    const size = dims === '' ? 1 : dims.split(', ').reduce((n, d) => n * Number(d), 1)
    constants.push(
      `${name}: float32[${dims}] = ${noise(size, seed)
        .map((v) => v + Math.sign(v))
        .join(' ')}`,
    )
  }
  const meanOf = (to: string, from: string, by: string) =>
    form.mean === 'ReduceMean' && by === 'count'
      ? [`${to} = ReduceMean(${from}, axes)`]
      : [`${to}_sum = ReduceSum(${from}, axes)`, `${to} = Div(${to}_sum, ${by})`]
  const d = form.centred ? 'd' : 'x'
  const other = form.centred && form.twice ? 'd2' : d
  const lines = form.centred
    ? [
        ...meanOf('m', 'x', 'count'),
        'd = Sub(x, m)',
        ...(form.twice ? [...meanOf('m2', 'x', 'count'), 'd2 = Sub(x, m2)'] : []),
      ]
    : []
  const by = form.unbiased ? 'less' : 'count'
  if (form.square === 'ReduceSumSquare') lines.push(`q = ReduceSumSquare(${d}, axes)`, `v = Div(q, ${by})`)
  else
    lines.push(
      form.square === 'Mul' ? `q = Mul(${d}, ${other})` : `q = Pow(${d}, two)`,
      ...meanOf('v', 'q', by),
    )
  const inside = form.epsilon === undefined ? 'v' : 'e'
  if (form.epsilon !== undefined) lines.push('e = Add(v, epsilon)')
  const inverse = {
    Div: [],
    Reciprocal: ['i = Reciprocal(s)'],
    OneOver: ['i = Div(one, s)'],
    Power: [`i = Pow(${inside}, minus)`],
  }[form.root] as string[]
  lines.push(`s = Sqrt(${inside})`, ...inverse)
  if (form.scale !== undefined) constant('gamma', form.scale, 3)
  if (form.bias !== undefined) constant('beta', form.bias, 4)
  const inner = form.inner && form.scale !== undefined && form.root !== 'Div'
  if (inner) lines.push('k = Mul(i, gamma)', `n = Mul(${other}, k)`)
  else lines.push(form.root === 'Div' ? `n = Div(${other}, s)` : `n = Mul(${other}, i)`)
  let y = 'n'
  if (form.scale !== undefined && !inner) lines.push('g = Mul(n, gamma)')
  if (form.scale !== undefined && !inner) y = 'g'
  if (form.bias !== undefined) lines.push(`b = Add(${y}, beta)`)
  if (form.bias !== undefined) y = 'b'
  return `
    graph g (x: float32[${shape.join(', ')}]) -> (${y}: ?)
      axes: int64[${form.axes.length}] = ${form.axes.join(' ')}
      count: float32[] = ${count}
      less: float32[] = ${count - 1}
      two: float32[] = 2
      one: float32[1] = 1
      minus: float32[] = -0.5
      epsilon: float32[] = ${form.epsilon ?? 0}
      ${[...constants, ...lines].join('\n      ')}
  `
}
