import { expect, it } from 'vitest'
import { FORMATS, withBounds } from '../../../lib/graph/format.js'
import { clipBounds, knownRange } from '../../../lib/quantize/write/saturation.js'
import { graph, node, numbers } from '../graphs.js'

const ALL = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const

it('a whole type needs no Clip', () => {
  for (const format of [FORMATS.int8, FORMATS.uint8]) {
    const none = { low: undefined, high: undefined }
    expect(clipBounds({ format, scale: 0.1, zeroPoint: 3 }, ALL)).toEqual(none)
  }
})

it('each end that the type goes beyond does, unless the value cannot', () => {
  const format = withBounds(FORMATS.uint8, 0, 127)
  const affine = { format, scale: 0.5, zeroPoint: 27 }
  expect(clipBounds(affine, ALL)).toEqual({ low: undefined, high: 50 })
  expect(clipBounds(affine, [0, 50.2])).toEqual({ low: undefined, high: undefined })
  expect(clipBounds(affine, [0, 50.3])).toEqual({ low: undefined, high: 50 })
  const narrow = { format: withBounds(FORMATS.int8, -127, 127), scale: 0.5, zeroPoint: -127 }
  expect(clipBounds(narrow, ALL)).toEqual({ low: 0, high: undefined })
  expect(clipBounds(narrow, [0, 1e9])).toEqual({ low: undefined, high: undefined })
})

it('what a fusion ends with bounds its values', () => {
  const float = graph({ inputs: { x: [1] }, outputs: ['y'], nodes: [], constants: { six: numbers([6], []) } })
  const weighted = { kind: 'weighted', weight: 1, channelAxis: () => 0 } as const
  const fusion = (fused: ReturnType<typeof node>[], rule: object = weighted) =>
    ({ node: node('c = Conv(x, w)'), rule, inputs: [0], fused, results: ['y'] }) as never
  expect(knownRange(float, undefined)).toEqual(ALL)
  expect(knownRange(float, fusion([]))).toEqual(ALL)
  expect(knownRange(float, fusion([node('y = Relu(c)')]))).toEqual([0, ALL[1]])
  expect(knownRange(float, fusion([node('y = Clip(c, , six)')]))).toEqual([ALL[0], 6])
  expect(knownRange(float, fusion([node('r = Relu(c)'), node('y = Add(r, six)')]))).toEqual(ALL)
  const sigmoid = { kind: 'activation', range: [0, 1] }
  expect(knownRange(float, fusion([], sigmoid))).toEqual([0, 1])
  expect(knownRange(float, fusion([node('y = Mul(c, six)')], sigmoid))).toEqual(ALL)
})
