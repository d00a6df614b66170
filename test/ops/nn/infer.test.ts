import { describe, expect, it } from 'vitest'
import { add, type Dim, floorDiv, formatDim, symbol } from '../../../lib/graph/expr.js'
import type { Attribute } from '../../../lib/graph/graph.js'
import { ops as matmul } from '../../../lib/ops/math/matmul.js'
import { ops as contribFused } from '../../../lib/ops/nn/contrib-fused.js'
import { ops as conv } from '../../../lib/ops/nn/conv.js'
import { ops as layerNorm } from '../../../lib/ops/nn/layer-norm.js'
import { ops as norm } from '../../../lib/ops/nn/norm.js'
import { ops as pool } from '../../../lib/ops/nn/pool.js'
import { ops as recurrent } from '../../../lib/ops/nn/recurrent.js'
import { ops as resize } from '../../../lib/ops/nn/resize.js'
import { simplestFraction } from '../../../lib/ops/nn/resize-sizes.js'
import { ops as contribQuantized } from '../../../lib/ops/quantized/contrib-quantized.js'
import { ops as qoperator } from '../../../lib/ops/quantized/qoperator.js'
import { ops as quantization } from '../../../lib/ops/quantized/quantization.js'
import { attributes, constant, find, float, infer, int64, type Operand, type } from './contexts.js'

const all = [
  ...[conv, pool, matmul, norm, layerNorm, recurrent, resize],
  ...[quantization, qoperator, contribFused, contribQuantized],
].flat()

const f32 = (...shape: Dim[]) => type('float32', ...shape)
const u8 = (...shape: Dim[]) => type('uint8', ...shape)
const i8 = (...shape: Dim[]) => type('int8', ...shape)
const scale = float([], [0.5])
const zero = constant('uint8', [], Uint8Array.of(128))
const signedZero = constant('int8', [], Uint8Array.of(0))
const n = symbol('n')
const text = (shape: readonly Dim[] | undefined) => shape?.map(formatDim).join(',')

type Case = readonly [
  op: string,
  operands: readonly Operand[],
  attributes: Record<string, Attribute>,
  ...outputs: string[],
]

const cases: readonly Case[] = [
  [
    'Conv',
    [f32(n, 3, 32, 32), f32(8, 3, 3, 3), f32(8)],
    attributes({ pads: [1, 1, 1, 1] }),
    'float32 n,8,32,32',
  ],
  ['Conv', [f32(1, 4, 10), f32(6, 2, 3)], attributes({ group: 2, strides: [2] }), 'float32 1,6,4'],
  ['Conv', [f32(1, 1, 5, 5, 5), f32(2, 1, 3, 3, 3)], {}, 'float32 1,2,3,3,3'],
  [
    'ConvTranspose',
    [f32(1, 4, 5, 5), f32(4, 3, 2, 2)],
    attributes({ group: 2, strides: [2, 2] }),
    'float32 1,6,10,10',
  ],
  [
    'MaxPool',
    [f32(1, 3, 7, 7)],
    attributes({ kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 }),
    'float32 1,3,4,4',
    'int64 1,3,4,4',
  ],
  [
    'MaxPool',
    [u8(1, 3, n, n)],
    attributes({ kernel_shape: [2, 2], strides: [2, 2] }),
    `uint8 1,3,${formatDim(add(floorDiv(add(n, -2), 2), 1))},${formatDim(add(floorDiv(add(n, -2), 2), 1))}`,
  ],
  ['AveragePool', [f32(1, 3, 9)], attributes({ kernel_shape: [3] }), 'float32 1,3,7'],
  ['GlobalAveragePool', [f32(n, 3, n, 7)], {}, 'float32 n,3,1,1'],
  [
    'MaxUnpool',
    [f32(1, 1, 2, 2), type('int64', 1, 1, 2, 2)],
    attributes({ kernel_shape: [2, 2], strides: [2, 2] }),
    'float32 1,1,4,4',
  ],
  ['MatMul', [f32(n, 1, 2, 3), f32(5, 3, 4)], {}, 'float32 n,5,2,4'],
  ['MatMul', [f32(3), f32(3)], {}, 'float32 '],
  ['MatMul', [f32(2, 4, 3), f32(3)], {}, 'float32 2,4'],
  ['Gemm', [f32(3, n), f32(4, 3), f32(4)], attributes({ transA: 1, transB: 1 }), 'float32 n,4'],
  [
    'BatchNormalization',
    [f32(n, 3, 4), f32(3), f32(3), f32(3), f32(3)],
    attributes({ training_mode: 1 }),
    'float32 n,3,4',
    'float32 3',
    'float32 3',
  ],
  ['GroupNormalization', [f32(1, 4, 2, 2), f32(2), f32(2)], attributes({ num_groups: 2 }), 'float32 1,4,2,2'],
  ['LayerNormalization', [f32(2, n, 8), f32(8)], {}, 'float32 2,n,8', 'float32 2,n,1', 'float32 2,n,1'],
  [
    'SkipLayerNormalization',
    [f32(2, n, 8), f32(2, n, 8), f32(8)],
    {},
    'float32 2,n,8',
    'float32 2,n,1',
    'float32 2,n,1',
    'float32 2,n,8',
  ],
  [
    'LSTM',
    [f32(5, n, 3), f32(2, 16, 3), f32(2, 16, 4)],
    attributes({ hidden_size: 4, direction: 'bidirectional' }),
    'float32 5,2,n,4',
    'float32 2,n,4',
    'float32 2,n,4',
  ],
  [
    'GRU',
    [f32(n, 5, 3), f32(1, 12, 3), f32(1, 12, 4)],
    attributes({ layout: 1 }),
    'float32 n,5,1,4',
    'float32 n,1,4',
  ],
  ['Resize', [f32(1, 3, n, n), undefined, float([4], [1, 1, 2, 0.5])], {}, 'float32 1,3,2*n,(n)//(2)'],
  [
    'Resize',
    [f32(1, 3, 5, 5), undefined, float([2], [0.6, 2])],
    attributes({ axes: [3, 2] }),
    'float32 1,3,10,3',
  ],
  [
    'Resize',
    [f32(1, 1, 2, 4), undefined, undefined, int64([2], [7, 8])],
    attributes({ axes: [2, 3], keep_aspect_ratio_policy: 'not_larger' }),
    'float32 1,1,4,8',
  ],
  [
    'Resize',
    [f32(1, 1, 2, 4), undefined, undefined, type('int64', 4)],
    {},
    'float32 in3[0],in3[1],in3[2],in3[3]',
  ],
  ['QuantizeLinear', [f32(n, 3), scale, constant('int16', [], new Uint8Array(2))], {}, 'int16 n,3'],
  ['QuantizeLinear', [f32(2, 3), float([3], [1, 2, 3])], attributes({ output_dtype: 3 }), 'int8 2,3'],
  [
    'DequantizeLinear',
    [type('int4', 4, 6), f32(4, 3)],
    attributes({ axis: 1, block_size: 2 }),
    'float32 4,6',
  ],
  ['DynamicQuantizeLinear', [f32(n)], {}, 'uint8 n', 'float32 ', 'uint8 '],
  [
    'QLinearConv',
    [u8(1, 3, 8, 8), scale, zero, i8(4, 3, 3, 3), float([4], [1, 1, 1, 1]), undefined, scale, zero],
    {},
    'uint8 1,4,6,6',
  ],
  ['QLinearMatMul', [u8(n, 3), scale, zero, i8(3, 2), scale, signedZero, scale, signedZero], {}, 'int8 n,2'],
  ['ConvInteger', [u8(1, 1, 3, 3), u8(1, 1, 2, 2), zero], {}, 'int32 1,1,2,2'],
  ['MatMulInteger', [u8(4, 3), i8(3, 2), type('uint8', 1)], {}, 'int32 4,2'],
  ['QLinearAdd', [u8(2, n), scale, zero, u8(n), scale, zero, scale, zero], {}, 'uint8 2,n'],
  ['QLinearConcat', [scale, zero, u8(1, 2, 3), scale, zero, u8(1, n, 3), scale, zero], {}, 'uint8 1,n + 2,3'],
  [
    'QLinearAveragePool',
    [u8(1, 9, 9, 3), scale, zero, scale, zero],
    attributes({ kernel_shape: [3, 3], channels_last: 1 }),
    'uint8 1,7,7,3',
  ],
  [
    'QLinearWhere',
    [type('bool', 4), u8(1), scale, zero, u8(3, 1), scale, zero, scale, zero],
    {},
    'uint8 3,4',
  ],
  [
    'QGemm',
    [u8(2, 3), scale, zero, u8(4, 3), scale, zero, type('int32', 4)],
    attributes({ transB: 1 }),
    'float32 2,4',
  ],
  ['DynamicQuantizeMatMul', [f32(n, 3), i8(3, 4), float([4], [1, 1, 1, 1])], {}, 'float32 n,4'],
  ['FusedConv', [f32(1, 3, 4, 4), f32(2, 3, 1, 1)], attributes({ activation: 'Relu' }), 'float32 1,2,4,4'],
  ['FusedMatMul', [f32(2, 3, 4), f32(2, 5, 4)], attributes({ transB: 1 }), 'float32 2,3,5'],
]

describe('types of outputs', () => {
  it.each(cases.map((all) => ({ op: all[0], all })))(
    '$op',
    ({ all: [opType, operands, attrs, ...expected] }) => {
      const outputs = infer(find(all, opType), operands, attrs)
      expect(outputs.slice(0, expected.length).map((o) => `${o.dtype} ${text(o.shape)}`)).toEqual(expected)
    },
  )
})

type Failure = readonly [
  op: string,
  operands: readonly Operand[],
  attributes: Record<string, Attribute>,
  message: RegExp,
]

const failures: readonly Failure[] = [
  [
    'Conv',
    [f32(1, 3, 8, 8), f32(8, 4, 3, 3)],
    {},
    /3 input channels to be group \* weights' axis 1, got 1 \* 4/,
  ],
  ['Conv', [f32(1, 4, 8), f32(3, 2, 3)], attributes({ group: 2 }), /multiple of group 2, got 3/],
  ['Conv', [f32(1, 3, 8), f32(4, 3, 3), f32(5)], {}, /bias of sizes \[4\], got \[5\]/],
  [
    'Conv',
    [f32(1, 3, 8), f32(4, 3, 3)],
    attributes({ kernel_shape: [5] }),
    /kernel_shape \[3\] of the weights, got \[5\]/,
  ],
  ['Conv', [f32(1, 3), f32(4, 3)], {}, /rank 3 to 5, got rank 2/],
  [
    'Conv',
    [f32(1, 3, 8), type('float16', 4, 3, 3)],
    {},
    /weights of type float32, as the input, got float16/,
  ],
  ['MaxPool', [f32(1, 3, 8)], {}, /attribute kernel_shape/],
  ['MaxPool', [type('int64', 1, 3, 8)], attributes({ kernel_shape: [2] }), /int8 or uint8, got int64/],
  ['LpPool', [f32(1, 3, 8)], attributes({ kernel_shape: [2], p: 0 }), /p of at least 1, got 0/],
  ['MatMul', [f32(2, 3), f32(4, 5)], {}, /inner sizes are equal, got \[2, 3\] and \[4, 5\]: 3 and 4/],
  ['MatMul', [f32(2, 2, 3), f32(3, 3, 5)], {}, /broadcast/],
  ['Gemm', [f32(2, 3), f32(3, 5), f32(4)], {}, /C to broadcast to \[2, 5\], got \[4\]/],
  [
    'GroupNormalization',
    [f32(1, 4, 2), f32(4), f32(4)],
    attributes({ num_groups: 3 }),
    /multiple of num_groups 3/,
  ],
  ['LayerNormalization', [f32(2, 8), f32(7)], {}, /broadcast to \[8\], got \[7\]/],
  ['LayerNormalization', [f32(2, 8), f32(8)], attributes({ axis: 2 }), /axis/],
  ['LpNormalization', [f32(2, 8)], attributes({ p: 3 }), /p to be 1 or 2, got 3/],
  [
    'LSTM',
    [f32(5, 1, 3), f32(1, 12, 3), f32(1, 16, 4)],
    attributes({ hidden_size: 4 }),
    /input 1 of sizes \[1, 16, 3\], got \[1, 12, 3\]/,
  ],
  [
    'LSTM',
    [f32(5, 1, 3), f32(1, 16, 3), f32(1, 16, 4)],
    attributes({ activations: ['Tanh'] }),
    /3 activations, got 1/,
  ],
  [
    'RNN',
    [f32(5, 1, 3), f32(1, 4, 3), f32(1, 4, 4)],
    attributes({ activations: ['Cube'] }),
    /activations of Relu, .*got 'Cube'/,
  ],
  [
    'RNN',
    [f32(5, 1, 3), f32(1, 4, 3), f32(1, 4, 4)],
    attributes({ direction: 'up' }),
    /direction forward, reverse or bidirectional, got 'up'/,
  ],
  ['Resize', [f32(1, 4)], {}, /scales \(input 2\) or sizes \(input 3\), got neither/],
  ['Resize', [f32(1, 4), undefined, float([2], [1, 0])], {}, /2 positive scales/],
  ['Resize', [f32(1, 4), undefined, type('float32', 2)], {}, /known when the model is loaded/],
  [
    'Resize',
    [f32(1, 4), undefined, float([2], [1, 2])],
    attributes({ mode: 'area' }),
    /mode of nearest, linear, cubic, got 'area'/,
  ],
  ['QuantizeLinear', [f32(2, 3), float([], [0])], {}, /finite positive scales .* got 0 at element 0/],
  [
    'QuantizeLinear',
    [f32(2, 3), float([3], [1, -1, 1])],
    {},
    /finite positive scales .* got -1 at element 1/,
  ],
  ['QuantizeLinear', [f32(2, 3), float([], [Number.NaN])], {}, /got NaN/],
  ['QuantizeLinear', [f32(2, 3), float([2], [1, 1])], {}, /3 scales, one per index of axis 1/],
  ['DequantizeLinear', [u8(2, 3), float([], [Number.POSITIVE_INFINITY])], {}, /got Infinity/],
  ['DequantizeLinear', [u8(2, 3), scale, signedZero], {}, /zero point of type uint8, got int8/],
  [
    'DequantizeLinear',
    [u8(2, 3), f32(3), type('uint8', 2)],
    {},
    /zero point of sizes \[3\], as the scale, got \[2\]/,
  ],
  [
    'DequantizeLinear',
    [type('int4', 4, 6), f32(4, 2)],
    attributes({ block_size: 2 }),
    /3 scales for 6 elements in blocks of 2, got 2/,
  ],
  [
    'QLinearConv',
    [u8(1, 3, 8), scale, signedZero, i8(4, 3, 3), scale, signedZero, scale, zero],
    {},
    /zero point \(input 2\) of type uint8/,
  ],
  [
    'QLinearConv',
    [u8(1, 3, 8), f32(3), zero, i8(4, 3, 3), scale, signedZero, scale, zero],
    {},
    /one element in input 1/,
  ],
  [
    'QLinearMatMul',
    [u8(2, 3), f32(2), zero, i8(3, 2), scale, signedZero, scale, zero],
    {},
    /one element in input 1 \("in1"\), got sizes \[2\]/,
  ],
  ['QLinearAdd', [u8(2, 3), scale, zero, u8(4), scale, zero, scale, zero], {}, /broadcast/],
  ['FusedMatMul', [f32(2, 3, 4), f32(2, 4, 5)], attributes({ transBatchA: 1 }), /transBatchA 0, got 1/],
  ['FusedConv', [f32(1, 3, 4), f32(2, 3, 1)], attributes({ activation: 'Erf' }), /activation of Relu/],
]

describe('errors', () => {
  it.each(failures)('%s %#', (opType, operands, attrs, message) => {
    expect(() => infer(find(all, opType), operands, attrs)).toThrow(message)
  })
})

describe('fractions of scales', () => {
  it.each([
    [0.7, 7, 10],
    [2, 2, 1],
    [1 / 3, 1, 3],
    [2.5, 5, 2],
  ])('%d is %d/%d', (value, p, q) => {
    expect(simplestFraction(value)).toEqual([p, q])
  })
})
