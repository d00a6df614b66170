import { describe, it } from 'vitest'
import { lastAxisSoftmax } from '../../lib/passes/last-axis-softmax.js'
import { expectRewrite, expectUntouched } from './golden.js'

const graphOf = (node: string, shape = '2, n, 4') => `
  graph g (x: float32[${shape}]) -> (y: ?)
    y = ${node}
`

describe('lastAxisSoftmax', () => {
  it.each([
    ['FlattenedSoftmax', 2],
    ['FlattenedSoftmax', -1],
    ['FlattenedLogSoftmax', 2],
    ['FlattenedHardmax', -1],
  ])('makes the plain operator of %s over axis %i', (op, axis) =>
    expectRewrite(
      lastAxisSoftmax,
      graphOf(`octavo.${op}(x) {axis=${axis}}`),
      graphOf(`${op.replace('Flattened', '')}(x) {axis=-1}`),
    ),
  )

  it('leaves one that flattens several axes', () =>
    expectUntouched(lastAxisSoftmax, graphOf('octavo.FlattenedSoftmax(x) {axis=1}')))

  it('leaves the operator of today', () => expectUntouched(lastAxisSoftmax, graphOf('Softmax(x) {axis=1}')))
})
