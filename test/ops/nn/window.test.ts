import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Dim, substitute, symbol } from '../../../lib/graph/expr.js'
import type { Node } from '../../../lib/graph/graph.js'
import { slidingWindow, transposedWindow, type Window, windowExtent } from '../../../lib/ops/nn/window.js'
import { attributes } from './contexts.js'

function context(plain: Parameters<typeof attributes>[0]) {
  const node: Node = {
    name: 'pool',
    opType: 'MaxPool',
    domain: '',
    inputs: ['x'],
    outputs: ['y'],
    attributes: attributes(plain),
  }
  const fail = (message: string): never => {
    throw new Error(`expected ${message}`)
  }
  return { node, values: () => undefined, fail }
}

/** Windows that fit, found by trying every start. */
function countWindows(padded: number, extent: number, stride: number): number {
  let count = 0
  for (let start = 0; start + extent <= padded; start += stride) ++count
  return count
}

/** ceil_mode: a window may overhang the end, but has to start in the input or the begin pads. */
function countCeil(size: number, begin: number, end: number, extent: number, stride: number): number {
  let count = 0
  for (let start = 0; start < size + begin; start += stride) {
    ++count
    if (start + extent >= size + begin + end) break
  }
  return count
}

const shape = fc.record({
  size: fc.integer({ min: 1, max: 40 }),
  kernel: fc.integer({ min: 1, max: 6 }),
  stride: fc.integer({ min: 1, max: 4 }),
  dilation: fc.integer({ min: 1, max: 3 }),
  begin: fc.integer({ min: 0, max: 4 }),
  end: fc.integer({ min: 0, max: 4 }),
})

const evaluate = (d: Dim | undefined, n: number) => substitute(d ?? Number.NaN, () => n)

function bothWays(size: number, window: (size: Dim) => Window): { output: Dim; begin: Dim; end: Dim } {
  const numeric = window(size)
  const symbolic = window(symbol('n'))
  const [output, begin, end] = [numeric.output[0], numeric.pads[0], numeric.pads[1]]
  expect(evaluate(symbolic.output[0], size)).toBe(output)
  expect(evaluate(symbolic.pads[0], size)).toBe(begin)
  expect(evaluate(symbolic.pads[1], size)).toBe(end)
  return { output: output as Dim, begin: begin as Dim, end: end as Dim }
}

describe('sliding windows', () => {
  it('counts windows as brute force does, for numbers and symbols', () => {
    fc.assert(
      fc.property(shape, fc.boolean(), ({ size, kernel, stride, dilation, begin, end }, ceilMode) => {
        const extent = windowExtent(kernel, dilation)
        fc.pre(size + begin + end >= extent)
        const ctx = context({ strides: [stride], dilations: [dilation], pads: [begin, end] })
        const found = bothWays(size, (n) => slidingWindow(ctx, [n], [kernel], ceilMode))
        const expected = ceilMode
          ? countCeil(size, begin, end, extent, stride)
          : countWindows(size + begin + end, extent, stride)
        expect(found.output).toBe(expected)
      }),
    )
  })

  it('SAME gives ceil(size / stride) windows with the smallest pads, the odd one where the name says', () => {
    fc.assert(
      fc.property(shape, fc.boolean(), ({ size, kernel, stride, dilation }, lowerSide) => {
        const extent = windowExtent(kernel, dilation)
        const auto_pad = lowerSide ? 'SAME_LOWER' : 'SAME_UPPER'
        const ctx = context({ strides: [stride], dilations: [dilation], auto_pad })
        const { output, begin, end } = bothWays(size, (n) => slidingWindow(ctx, [n], [kernel]))
        expect(output).toBe(Math.ceil(size / stride))
        const total = Number(begin) + Number(end)
        expect(total).toBe(Math.max(0, (Number(output) - 1) * stride + extent - size))
        expect(Number(lowerSide ? begin : end) - Number(lowerSide ? end : begin)).toBe(total % 2)
      }),
    )
  })

  it('VALID ignores pads', () => {
    const ctx = context({ auto_pad: 'VALID', pads: [3, 3] })
    expect(slidingWindow(ctx, [7], [3])).toMatchObject({ output: [5], pads: [0, 0] })
  })

  it.each([
    ['a window larger than the padded input', { pads: [0, 0] }, [2], [3], /input of at least 3 elements/],
    ['negative pads', { pads: [-1, 0] }, [5], [3], /pads of 2 integers, each at least 0/],
    ['zero strides', { strides: [0] }, [5], [3], /strides of 1 integers, each at least 1/],
    ['too many dilations', { dilations: [1, 1] }, [5], [3], /dilations of 1 integers/],
    ['an unknown auto_pad', { auto_pad: 'SOME' }, [5], [3], /auto_pad to be one of NOTSET/],
    ['a kernel of another rank', {}, [5], [3, 3], /kernel of 1 sizes/],
    ['a kernel of size 0', {}, [5], [0], /kernel sizes of at least 1/],
  ] as const)('refuses %s', (_, plain, input, kernel, message) => {
    expect(() => slidingWindow(context(plain), input, kernel)).toThrow(message)
  })
})

describe('transposed windows', () => {
  it('inverts the sliding window: its outputs are the inputs that give back as many windows', () => {
    fc.assert(
      fc.property(shape, ({ size, kernel, stride, dilation, begin, end }) => {
        const extent = windowExtent(kernel, dilation)
        fc.pre((size - 1) * stride + extent > begin + end)
        const ctx = context({ strides: [stride], dilations: [dilation], pads: [begin, end] })
        const { output } = bothWays(size, (n) => transposedWindow(ctx, [n], [kernel]))
        expect(countWindows(Number(output) + begin + end, extent, stride)).toBe(size)
      }),
    )
  })

  it('takes pads from output_shape; what exceeds the full result needs none', () => {
    const wide = transposedWindow(context({ strides: [3, 2], output_shape: [10, 8] }), [3, 3], [3, 3])
    expect(wide).toMatchObject({ output: [10, 8], pads: [0, 0, 0, 0] })
    const narrow = transposedWindow(context({ strides: [2], output_shape: [6] }), [3], [3])
    expect(narrow).toMatchObject({ output: [6], pads: [0, 1] })
  })

  it('SAME multiplies by the stride', () => {
    const upper = transposedWindow(context({ strides: [2], auto_pad: 'SAME_UPPER' }), [3], [3])
    expect(upper).toMatchObject({ output: [6], pads: [0, 1] })
    const below = transposedWindow(context({ strides: [2], auto_pad: 'SAME_LOWER' }), [3], [3])
    expect(below).toMatchObject({ output: [6], pads: [1, 0] })
  })

  it('adds output_padding, which must stay below the stride', () => {
    expect(transposedWindow(context({ strides: [2], output_padding: [1] }), [3], [3]).output).toEqual([8])
    const wrong = context({ strides: [2], output_padding: [2] })
    expect(() => transposedWindow(wrong, [3], [3])).toThrow(/output_padding below the stride/)
  })
})
