/** Attributes that no operator can serve: the error names the node, the attribute and what was expected. */
import { describe } from 'vitest'
import { type AttributeInit, float, int, ints, node, text } from '../helpers/model.js'
import { type Attempt, constant, type Feed, feed, type Rejected, rejects } from './attempt.js'

const zeros = (count: number) => Array.from({ length: count }, () => 0)
const image = feed('float32', [1, 2, 4, 4], zeros(32))
const matrix = feed('float32', [2, 3], zeros(6))
const weights = constant('w', 'float32', [2, 2, 3, 3], zeros(36))

function unary(opType: string, attributes: AttributeInit[], x: Feed = matrix, opset = 21): Attempt {
  return { nodes: [node(opType, ['x'], ['y'], attributes, 'culprit')], feeds: { x }, opset }
}

function conv(attributes: AttributeInit[], opType = 'Conv'): Attempt {
  const nodes = [node(opType, ['x', 'w'], ['y'], attributes, 'culprit')]
  return { nodes, feeds: { x: image }, initializers: [weights] }
}

const pool = (attributes: AttributeInit[], opType = 'MaxPool') => unary(opType, attributes, image)
const kernel = (h: number, w = h) => ints('kernel_shape', [h, w])

const INVALID = /^ERR_(MODEL_INVALID|UNSUPPORTED_OP|SHAPE_MISMATCH|LIMIT)$/
const bad = (what: string, attempt: Attempt): Rejected => [what, attempt, INVALID, /culprit/]

describe('convolution', () => {
  rejects([
    bad('group 0', conv([int('group', 0)])),
    bad('group -1', conv([int('group', -1)])),
    bad('group that does not divide the channels', conv([int('group', 3)])),
    bad('group 2^40', conv([int('group', 2 ** 40)])),
    bad('stride 0', conv([ints('strides', [0, 1])])),
    bad('stride -1', conv([ints('strides', [1, -1])])),
    bad('one stride for two axes', conv([ints('strides', [1])])),
    bad('dilation 0', conv([ints('dilations', [0, 1])])),
    bad('dilation 2^62', conv([ints('dilations', [2 ** 62, 1])])),
    bad('pads that are negative and exceed the image', conv([ints('pads', [-9, 0, 0, 0])])),
    bad('three pads', conv([ints('pads', [1, 1, 1])])),
    bad('pads 2^62', conv([ints('pads', [2 ** 62, 0, 2 ** 62, 0])])),
    bad('a kernel_shape that is not that of the weights', conv([kernel(5)])),
    bad('an unknown auto_pad', conv([text('auto_pad', 'MOSTLY')])),
    bad('strides that are a string', conv([text('strides', 'two')])),
    bad('transposed, stride 0', conv([ints('strides', [0, 1])], 'ConvTranspose')),
    bad('transposed, stride 2^62', conv([ints('strides', [2 ** 62, 1])], 'ConvTranspose')),
    bad('transposed, group 0', conv([int('group', 0)], 'ConvTranspose')),
  ])
})

describe('pooling', () => {
  rejects([
    bad('no kernel_shape', pool([])),
    bad('kernel_shape 0', pool([kernel(0)])),
    bad('kernel_shape -2', pool([kernel(-2)])),
    bad('kernel_shape 2^62', pool([kernel(2 ** 62)])),
    bad('kernel_shape of three axes', pool([ints('kernel_shape', [1, 1, 1])])),
    bad('kernel larger than the image', pool([kernel(9)])),
    bad('stride 0', pool([kernel(2), ints('strides', [0, 0])])),
    bad('pads of the size of the kernel', pool([kernel(2), ints('pads', [2, 2, 2, 2])], 'AveragePool')),
    bad('negative pads', pool([kernel(2), ints('pads', [-3, 0, -3, 0])], 'AveragePool')),
    bad('LpPool with p 0', pool([kernel(2), int('p', 0)], 'LpPool')),
    bad('LRN with size 0', pool([int('size', 0)], 'LRN')),
    bad('LRN with size 2^40', pool([int('size', 2 ** 40)], 'LRN')),
  ])
})

describe('axes', () => {
  const axis = (a: number) => [int('axis', a)]
  const two = (opType: string, attributes: AttributeInit[]): Attempt => ({
    nodes: [node(opType, ['x', 'x'], ['y'], attributes, 'culprit')],
    feeds: { x: matrix },
  })
  rejects([
    bad('Softmax 2', unary('Softmax', axis(2))),
    bad('Softmax -3', unary('Softmax', axis(-3))),
    bad('Softmax 2^62', unary('Softmax', axis(2 ** 62))),
    bad('Concat 2', two('Concat', axis(2))),
    bad('Concat without axis', two('Concat', [])),
    bad('Flatten 3', unary('Flatten', axis(3))),
    bad('ArgMax 2', unary('ArgMax', axis(2))),
    bad('Split 5', unary('Split', [...axis(5), int('num_outputs', 1)])),
    bad('Split with num_outputs 0', unary('Split', [int('num_outputs', 0)])),
    bad('Hardmax 9', unary('Hardmax', axis(9))),
    bad('LayerNormalization 7', two('LayerNormalization', axis(7))),
    bad('Transpose with an axis twice', unary('Transpose', [ints('perm', [0, 0])])),
    bad('Transpose with an axis out of range', unary('Transpose', [ints('perm', [0, 2])])),
    bad('Transpose with too few axes', unary('Transpose', [ints('perm', [0])])),
    bad('ReduceSum of opset 11, axis 4', unary('ReduceSum', [ints('axes', [4])], matrix, 11)),
    bad('ReduceSum of opset 11, an axis twice', unary('ReduceSum', [ints('axes', [0, 0])], matrix, 11)),
    bad('Squeeze of opset 11 of an axis of size 3', unary('Squeeze', [ints('axes', [1])], matrix, 11)),
    bad('Unsqueeze of opset 11, axis 9', unary('Unsqueeze', [ints('axes', [9])], matrix, 11)),
    bad('Gather 2', { ...two('Gather', axis(2)), initializers: [] }),
  ])
})

describe('others', () => {
  const two = (opType: string, attributes: AttributeInit[], x: Feed): Attempt => ({
    nodes: [node(opType, ['x', 'x'], ['y'], attributes, 'culprit')],
    feeds: { x },
  })
  const heads = feed('float32', [1, 2, 4], zeros(8))
  rejects([
    bad('Cast without a type', unary('Cast', [])),
    bad('Cast to type 99', unary('Cast', [int('to', 99)])),
    bad('DepthToSpace with blocksize 0', unary('DepthToSpace', [int('blocksize', 0)], image)),
    bad('DepthToSpace with blocksize 2^40', unary('DepthToSpace', [int('blocksize', 2 ** 40)], image)),
    bad('SpaceToDepth with blocksize 3', unary('SpaceToDepth', [int('blocksize', 3)], image)),
    bad('Gemm of matrices that do not fit', two('Gemm', [], matrix)),
    bad('MatMul of matrices that do not fit', two('MatMul', [], matrix)),
    bad('Einsum without an arrow that fits', two('Einsum', [text('equation', 'ab,bc->ad')], matrix)),
    bad('Einsum of another number of operands', two('Einsum', [text('equation', 'ab->a')], matrix)),
    bad('Einsum of endless text', two('Einsum', [text('equation', 'a'.repeat(100_000))], matrix)),
    bad('BitShift without direction', { ...two('BitShift', [], feed('uint8', [1], [1])), output: 'uint8' }),
    bad('BitShift of an unknown direction', {
      ...two('BitShift', [text('direction', 'UP')], feed('uint8', [1], [1])),
      output: 'uint8',
    }),
    bad('Upsample of opset 9 by 0', {
      nodes: [node('Upsample', ['x', 's'], ['y'], [], 'culprit')],
      feeds: { x: image },
      initializers: [constant('s', 'float32', [4], [1, 1, 0, 0])],
      opset: 9,
    }),
    bad('GroupNormalization into 0 groups', {
      nodes: [node('GroupNormalization', ['x', 's', 's'], ['y'], [int('num_groups', 0)], 'culprit')],
      feeds: { x: image },
      initializers: [constant('s', 'float32', [2], [1, 1])],
    }),
    bad('Attention with 0 heads', {
      nodes: [
        node('Attention', ['x', 'x', 'x'], ['y'], [int('q_num_heads', 0), int('kv_num_heads', 0)], 'culprit'),
      ],
      feeds: { x: heads },
      opset: 23,
    }),
    bad('Attention with 3 heads of 4 columns', {
      nodes: [
        node('Attention', ['x', 'x', 'x'], ['y'], [int('q_num_heads', 3), int('kv_num_heads', 3)], 'culprit'),
      ],
      feeds: { x: heads },
      opset: 23,
    }),
    bad('LSTM with hidden_size 0', {
      nodes: [node('LSTM', ['x', 'w', 'w'], ['y'], [int('hidden_size', 0)], 'culprit')],
      feeds: { x: heads },
      initializers: [constant('w', 'float32', [1, 4, 4], zeros(16))],
    }),
    bad('LSTM with weights of another size', {
      nodes: [node('LSTM', ['x', 'w', 'w'], ['y'], [int('hidden_size', 3)], 'culprit')],
      feeds: { x: heads },
      initializers: [constant('w', 'float32', [1, 4, 4], zeros(16))],
    }),
    bad('an operator that no one knows', unary('Frobnicate', [])),
    bad('a negative epsilon that is a string', {
      nodes: [node('LayerNormalization', ['x', 'x'], ['y'], [text('epsilon', 'small')], 'culprit')],
      feeds: { x: matrix },
    }),
    bad('Clip of opset 6 with a bound that is a string', unary('Clip', [text('min', 'low')], matrix, 6)),
    bad('Dropout with too many inputs', {
      nodes: [node('Relu', ['x', 'x', 'x'], ['y'], [float('ratio', 0.5)], 'culprit')],
      feeds: { x: matrix },
    }),
  ])
})
