import { describe, it } from 'vitest'
import { removeNoOps } from '../../lib/passes/no-ops.js'
import { expectRewrite, expectUntouched } from './golden.js'

/** The node makes `a` of `x`, and Relu reads it. */
const graphOf = (node: string, constants = '', sizes = 'n, 3') => `
  graph g (x: float32[${sizes}]) -> (y: ?)
    ${constants}
    ${node}
    y = Relu(a)
`

const without = (constants = '', sizes = 'n, 3') => `
  graph g (x: float32[${sizes}]) -> (y: ?)
    ${constants}
    y = Relu(x)
`

describe('removeNoOps', () => {
  it.each([
    ['Identity', 'a = Identity(x)', ''],
    ['a Cast to the same type', 'a = Cast(x) {to=1}', ''],
    ['a Transpose in order', 'a = Transpose(x) {perm=[0, 1]}', ''],
    ['a Concat of one', 'a = Concat(x) {axis=0}', ''],
    ['a Max of one', 'a = Max(x)', ''],
    ['a Min of one', 'a = Min(x)', ''],
    ['a Reshape to the same sizes', 'a = Reshape(x, s)', 's: int64[2] = 0 3'],
    ['a Flatten of a matrix', 'a = Flatten(x) {axis=1}', ''],
    ['an Add of zeros', 'a = Add(z, x)', 'z: float32[3] = 0 ...'],
    ['a Sub of zero', 'a = Sub(x, z)', 'z: float32[] = 0'],
    ['a Mul by one', 'a = Mul(x, o)', 'o: float32[1, 1] = 1'],
    ['a Div by one', 'a = Div(x, o)', 'o: float32[] = 1'],
    ['a power of one', 'a = Pow(x, o)', 'o: float32[] = 1'],
  ])('removes %s', (_, node, constants) =>
    expectRewrite(removeNoOps, graphOf(node, constants), without(constants.replace('0 ...', '0 0 0'))),
  )

  it.each([
    ['a Cast to another type', 'i = Cast(x) {to=7}\n    a = Cast(i) {to=1}', ''],
    ['a Transpose that swaps', 'a = Transpose(x) {perm=[1, 0]}', ''],
    ['a Reshape to other sizes', 'a = Reshape(x, s)', 's: int64[2] = 3 -1'],
    ['a Sub from zero', 'a = Sub(z, x)', 'z: float32[] = 0'],
    ['a Div of one', 'a = Div(o, x)', 'o: float32[] = 1'],
    ['an Add of zeros that broadcasts', 'a = Add(x, z)', 'z: float32[2, 1, 3] = 0 ...'],
    ['an Add of something', 'a = Add(x, z)', 'z: float32[3] = 0 1 0'],
  ])('leaves %s', (_, node, constants) => expectUntouched(removeNoOps, graphOf(node, constants)))

  it('leaves what names an output', () =>
    expectUntouched(
      removeNoOps,
      `
      graph g (x: float32[n]) -> (y: ?)
        y = Identity(x)
      `,
    ))

  it('renames what an owned graph captures', () =>
    expectRewrite(
      removeNoOps,
      `
      graph g (x: float32[2], c: bool[]) -> (y: ?)
        a = Identity(x)
        y = If(c) captures (a)
          else_branch () -> (e: ?) captures (b)
            e = Neg(b)
          then_branch () -> (t: ?) captures (b)
            t = Abs(b)
      `,
      `
      graph g (x: float32[2], c: bool[]) -> (y: ?)
        y = If(c) captures (x)
          else_branch () -> (e: ?) captures (b)
            e = Neg(b)
          then_branch () -> (t: ?) captures (b)
            t = Abs(b)
      `,
    ))
})
