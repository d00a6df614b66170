/** Scales, zero points and axes that no quantized tensor can have. */
import { describe } from 'vitest'
import { int, node } from '../helpers/model.js'
import {
  type Attempt,
  constant,
  type Elements,
  feed,
  gives,
  type Rejected,
  rejects,
  type TypeName,
} from './attempt.js'

const CODE = /^ERR_(MODEL_INVALID|UNSUPPORTED_OP|SHAPE_MISMATCH|RUN)$/
const bad = (what: string, attempt: Attempt): Rejected => [what, attempt, CODE, /culprit/]

interface Parameters {
  readonly scale?: Elements
  readonly zero?: Elements
  readonly zeroType?: TypeName
  readonly axis?: number
  readonly opType?: string
}

function quantized({ scale = [0.5], zero = [0], zeroType = 'uint8', axis = 1, opType }: Parameters): Attempt {
  const dims = (list: Elements) => (list.length === 1 ? [] : [list.length])
  const op = opType ?? 'QuantizeLinear'
  const x =
    op === 'QuantizeLinear'
      ? feed('float32', [2, 3], [0, 1, 2, 3, 4, 5])
      : feed('uint8', [2, 3], [0, 1, 2, 3, 4, 5])
  return {
    nodes: [node(op, ['x', 's', 'z'], ['y'], [int('axis', axis)], 'culprit')],
    feeds: { x },
    initializers: [constant('s', 'float32', dims(scale), scale), constant('z', zeroType, dims(zero), zero)],
    output: op === 'QuantizeLinear' ? zeroType : 'float32',
  }
}

describe.each(['QuantizeLinear', 'DequantizeLinear'])('%s', (opType) => {
  rejects([
    bad('scale 0', quantized({ opType, scale: [0] })),
    bad('a negative scale', quantized({ opType, scale: [-1] })),
    bad('a scale that is not a number', quantized({ opType, scale: [NaN] })),
    bad('an infinite scale', quantized({ opType, scale: [Infinity] })),
    bad('one bad scale of many', quantized({ opType, scale: [1, 0, 1], zero: [0, 0, 0] })),
    bad('scales of another number than the axis has', quantized({ opType, scale: [1, 1], zero: [0, 0] })),
    bad('zero points of another number than scales', quantized({ opType, scale: [1, 1, 1], zero: [0, 0] })),
    bad('an axis out of range', quantized({ opType, scale: [1, 1, 1], zero: [0, 0, 0], axis: 2 })),
    bad('an axis of 2^40', quantized({ opType, scale: [1, 1, 1], zero: [0, 0, 0], axis: 2 ** 40 })),
    bad('a zero point of a float type', quantized({ opType, zeroType: 'float32' })),
  ])
})

describe('DequantizeLinear', () => {
  rejects([bad('a zero point of another type', quantized({ opType: 'DequantizeLinear', zeroType: 'int8' }))])
})

describe('the smallest and largest scale', () => {
  gives([
    ['saturate', quantized({ scale: [1.401298464324817e-45] }), [0, 255, 255, 255, 255, 255]],
    ['vanish', quantized({ scale: [3.4028234663852886e38] }), [0, 0, 0, 0, 0, 0]],
  ])
})

const w = constant('w', 'int8', [1, 1, 1, 1], [1])
const q = (name: string, value: number) => constant(name, 'float32', [], [value])

/** A float convolution between QuantizeLinear and DequantizeLinear, which one integer step replaces. */
function integerConv(scales: { readonly x?: number; readonly w?: number; readonly y?: number }): Attempt {
  return {
    nodes: [
      node('QuantizeLinear', ['x', 'xs', 'z'], ['xq'], [], 'culprit in'),
      node('DequantizeLinear', ['xq', 'xs', 'z'], ['xd'], [], 'culprit x'),
      node('DequantizeLinear', ['w', 'ws', 'z'], ['wd'], [], 'culprit w'),
      node('Conv', ['xd', 'wd'], ['c'], [], 'conv'),
      node('QuantizeLinear', ['c', 'ys', 'z'], ['yq'], [], 'culprit out'),
      node('DequantizeLinear', ['yq', 'ys', 'z'], ['y'], [], 'culprit y'),
    ],
    feeds: { x: feed('float32', [1, 1, 2, 2], [1, 2, 3, 4]) },
    initializers: [
      w,
      constant('z', 'int8', [], [0]),
      q('xs', scales.x ?? 1),
      q('ws', scales.w ?? 1),
      q('ys', scales.y ?? 1),
    ],
  }
}

describe('around an integer convolution', () => {
  rejects([
    bad('input scale 0', integerConv({ x: 0 })),
    bad('weight scale NaN', integerConv({ w: NaN })),
    bad('output scale infinite', integerConv({ y: Infinity })),
    bad('output scale negative', integerConv({ y: -1 })),
    [
      'scales whose product overflows',
      integerConv({ w: 2 ** 120, y: 2 ** -100 }),
      CODE,
      /culprit.*overflow float32/,
    ],
  ])
  gives([
    ['a multiplier far above 1 saturates', integerConv({ y: 2 ** -60 }), Array(4).fill(127 * 2 ** -60)],
    ['a multiplier far below 1 gives zeros', integerConv({ y: 2 ** 60 }), [0, 0, 0, 0]],
  ])
})

function qlinear(opType: string, scale: number, zeroType: TypeName = 'uint8'): Attempt {
  return {
    nodes: [node(opType, ['x', 's', 'z', 'w', 's', 'z', 's', 'z'], ['y'], [], 'culprit')],
    feeds: { x: feed('uint8', [2, 2], [1, 2, 3, 4]) },
    initializers: [
      constant('w', 'uint8', [2, 2], [1, 2, 3, 4]),
      q('s', scale),
      constant('z', zeroType, [], [0]),
    ],
    output: 'uint8',
  }
}

describe('QLinearMatMul', () => {
  rejects([
    bad('scale 0', qlinear('QLinearMatMul', 0)),
    bad('scale NaN', qlinear('QLinearMatMul', NaN)),
    bad('a zero point of another type', qlinear('QLinearMatMul', 1, 'int32')),
  ])
})
