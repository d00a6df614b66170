import { describe, it } from 'vitest'
import { recogniseHardSwish } from '../../lib/passes/recognise-hardswish.js'
import { expectRewrite, expectUntouched } from './golden.js'

const found = `
  graph g (x: float32[2, 3]) -> (y: ?)
    y = HardSwish(x)
`

const clipped = (product: string, low = 0) => `
  graph g (x: float32[2, 3]) -> (y: ?)
    zero: float32[] = ${low}
    three: float32[] = 3
    six: float32[] = 6
    sixth: float32[] = ${1 / 6}
    a = Add(x, three)
    c = Clip(a, zero, six)
    ${product}
`

describe('recogniseHardSwish', () => {
  it.each([
    ['divided last', 'm = Mul(x, c)\n    y = Div(m, six)'],
    ['divided first', 'd = Div(c, six)\n    y = Mul(d, x)'],
    ['multiplied', 'm = Mul(c, sixth)\n    y = Mul(x, m)'],
  ])('finds x * Clip(x + 3, 0, 6) / 6, %s', (_, product) =>
    expectRewrite(recogniseHardSwish, clipped(product), found),
  )

  it('leaves another clip', () =>
    expectUntouched(recogniseHardSwish, clipped('m = Mul(x, c)\n    y = Div(m, six)', -1)))

  const hardSigmoid = (alpha: number) => `
    graph g (x: float32[2, 3]) -> (y: ?)
      h = HardSigmoid(x) {alpha=${alpha}}
      y = Mul(x, h)
  `

  it('finds x * HardSigmoid(x) with the slope of HardSwish', () =>
    expectRewrite(recogniseHardSwish, hardSigmoid(Math.fround(1 / 6)), found))

  it('leaves HardSigmoid with another slope', () => expectUntouched(recogniseHardSwish, hardSigmoid(0.2)))
})
