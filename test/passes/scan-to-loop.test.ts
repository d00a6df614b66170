import { describe, expect, it } from 'vitest'
import { scanToLoop } from '../../lib/passes/scan-to-loop.js'
import { parseGraph } from '../helpers/graph-text.js'
import { expectRewrite, expectUntouched } from './golden.js'

/** Running sums of the rows of x. */
const sums = (attributes: string) => `
  graph g (h: float32[2], x: float32[n, 2]) -> (last: float32[2], all: float32[n, 2])
    last, all = Scan(h, x) {${attributes}num_scan_inputs=1}
      body (s: float32[2], e: float32[2]) -> (t: float32[2], o: float32[2])
        t = Add(s, e)
        o = Identity(t)
`

describe('scanToLoop', () => {
  it('takes the element of each iteration by Gather', () =>
    expectRewrite(
      scanToLoop,
      sums(''),
      `
      graph g (h: float32[2], x: float32[n, 2]) -> (last: float32[2], all: float32[n, 2])
        scan_constant: int64[] = 0
        x_sizes = Shape(x)
        x_length = Gather(x_sizes, scan_constant)
        last, all = Loop(x_length, _, h) captures (x, x_length)
          body (iteration: int64[], condition: bool[], s: float32[2]) -> (goes_on: ?, t: float32[2], o: float32[2]) captures (e_all, e_length)
            one: int64[] = 1
            e = Gather(e_all, iteration) {axis=0}
            goes_on = Identity(condition)
            t = Add(s, e)
            o = Identity(t)
      `,
    ))

  it('counts from the end where the input is scanned backwards', () =>
    expectRewrite(
      scanToLoop,
      sums('scan_input_directions=[1], '),
      `
      graph g (h: float32[2], x: float32[n, 2]) -> (last: float32[2], all: float32[n, 2])
        scan_constant: int64[] = 0
        x_sizes = Shape(x)
        x_length = Gather(x_sizes, scan_constant)
        last, all = Loop(x_length, _, h) captures (x, x_length)
          body (iteration: int64[], condition: bool[], s: float32[2]) -> (goes_on: ?, t: float32[2], o: float32[2]) captures (e_all, e_length)
            one: int64[] = 1
            e_last = Sub(e_length, one)
            e_index = Sub(e_last, iteration)
            e = Gather(e_all, e_index) {axis=0}
            goes_on = Identity(condition)
            t = Add(s, e)
            o = Identity(t)
      `,
    ))

  it('reverses and transposes what Loop stacks along axis 0', () =>
    expectRewrite(
      scanToLoop,
      `
      graph g (x: float32[n, 2]) -> (all: float32[2, n])
        all = Scan(x) {num_scan_inputs=1, scan_output_axes=[1], scan_output_directions=[1]}
          body (e: float32[2]) -> (o: float32[2])
            o = Neg(e)
      `,
      `
      graph g (x: float32[n, 2]) -> (all: float32[2, n])
        scan_constant: int64[] = 0
        scan_constant_1: int64[1] = -1
        scan_constant_2: int64[1] = ${-Number.MAX_SAFE_INTEGER}
        scan_constant_3: int64[1] = 0
        scan_constant_4: int64[1] = -1
        x_sizes = Shape(x)
        x_length = Gather(x_sizes, scan_constant)
        all_stacked = Loop(x_length, _) captures (x, x_length)
          body (iteration: int64[], condition: bool[]) -> (goes_on: ?, o: float32[2]) captures (e_all, e_length)
            one: int64[] = 1
            e = Gather(e_all, iteration) {axis=0}
            goes_on = Identity(condition)
            o = Neg(e)
        all_forward = Slice(all_stacked, scan_constant_1, scan_constant_2, scan_constant_3, scan_constant_4)
        all = Transpose(all_forward) {perm=[1, 0]}
      `,
    ))

  it('leaves a Loop', () =>
    expectUntouched(
      scanToLoop,
      `
      graph g (n: int64[], h: float32[2]) -> (y: ?)
        y = Loop(n, _, h)
          body (i: int64[], c: bool[], s: float32[2]) -> (k: ?, t: ?)
            k = Identity(c)
            t = Neg(s)
      `,
    ))

  it('refuses a Scan without scanned inputs, and names it', () => {
    const graph = parseGraph(sums('').replace('num_scan_inputs=1', 'num_scan_inputs=0'))
    expect(() => scanToLoop(graph)).toThrow(
      'Scan node "Scan_last": expected a body and at least one scanned input',
    )
  })
})
