import { describe, expect, it } from 'vitest'
import { recogniseGroupNorm } from '../../lib/passes/recognise-group-norm.js'
import { expectRewrite, expectUntouched } from './golden.js'
import { expectSameAnswers } from './same-answers.js'

const graphOf = (...lines: string[]) => `
  graph g (x: float32[2, 4, 3, 3]) -> (y: ?)
    there: int64[3] = 0 2 -1
    back: int64[4] = 2 4 3 3
    other: int64[4] = 2 2 6 3
    one: float32[2] = 1 1
    zero: float32[2] = 0 0
    ones: float32[18] = 1 ...
    k: float32[4, 1, 1] = 1 2 3 4
    b: float32[1, 4, 1, 1] = 5 6 7 8
    row: float32[3] = 1 2 3
    ${lines.join('\n    ')}
`

const instance = [
  'r = Reshape(x, there)',
  'n = InstanceNormalization(r, one, zero) {epsilon=0.5}',
  't = Reshape(n, back)',
]

describe('recogniseGroupNorm', () => {
  it('finds the form of PyTorch with its affine part', () =>
    expectRewrite(
      recogniseGroupNorm,
      graphOf(...instance, 'm = Mul(t, k)', 'y = Add(b, m)'),
      `
      graph g (x: float32[2, 4, 3, 3]) -> (y: ?)
        Add_y:scale: float32[4] = 1 2 3 4
        Add_y:bias: float32[4] = 5 6 7 8
        y = GroupNormalization(x, Add_y:scale, Add_y:bias) {epsilon=0.5, num_groups=2}
      `,
    ))

  it.each([
    ['InstanceNormalization and an affine part', graphOf(...instance, 'm = Mul(t, k)', 'y = Add(b, m)')],
    ['a bias alone', graphOf(...instance, 'y = Add(t, b)')],
    [
      'LayerNormalization',
      graphOf(
        'r = Reshape(x, there)',
        'n = LayerNormalization(r, ones)',
        't = Reshape(n, back)',
        'y = Mul(t, k)',
      ),
    ],
    ['a scale along another axis', graphOf(...instance, 'y = Mul(t, row)')],
  ])('keeps the answers of %s', async (_, text) => {
    const after = await expectSameAnswers(recogniseGroupNorm, text, { scale: 3, shift: 1 })
    expect(after.nodes[0]?.opType).toBe('GroupNormalization')
  })

  it.each([
    [
      'other sizes at the end',
      graphOf('r = Reshape(x, there)', 'n = InstanceNormalization(r, one, zero)', 'y = Reshape(n, other)'),
    ],
    [
      'a scale per group',
      graphOf('r = Reshape(x, there)', 'n = InstanceNormalization(r, zero, zero)', 'y = Reshape(n, back)'),
    ],
    [
      'a norm over a part of a group',
      graphOf('r = Reshape(x, other)', 'n = LayerNormalization(r, row)', 'y = Reshape(n, back)'),
    ],
  ])('leaves %s', (_, text) => expectUntouched(recogniseGroupNorm, text))
})
