import { describe, expect, it } from 'vitest'
import { formatDim, symbol } from '../../../lib/graph/expr.js'
import { ops as matmul } from '../../../lib/ops/math/matmul.js'
import { ops as attention } from '../../../lib/ops/nn/attention.js'
import { ops as contribFused } from '../../../lib/ops/nn/contrib-fused.js'
import { ops as conv } from '../../../lib/ops/nn/conv.js'
import { ops as layerNorm } from '../../../lib/ops/nn/layer-norm.js'
import { ops as pool } from '../../../lib/ops/nn/pool.js'
import { ops as recurrent } from '../../../lib/ops/nn/recurrent.js'
import { ops as resize } from '../../../lib/ops/nn/resize.js'
import { ops as rotary } from '../../../lib/ops/nn/rotary-embedding.js'
import { ops as contribQuantized } from '../../../lib/ops/quantized/contrib-quantized.js'
import { ops as qoperator } from '../../../lib/ops/quantized/qoperator.js'
import { ops as quantization } from '../../../lib/ops/quantized/quantization.js'
import { attributes, constant, find, float, ints, lower, type RecordedStep, type } from './contexts.js'

const n = symbol('n')
const scale = type('float32', 1)
const zero = type('uint8')

const names = (steps: readonly RecordedStep[]) => steps.map((s) => s.op)
const inputNames = (step: RecordedStep | undefined) => step?.inputs.map((t) => t?.name ?? '')
const dims = (step: RecordedStep | undefined, output = 0) =>
  step?.outputs[output]?.dims.map(formatDim).join(',')

describe('steps of convolutions and pools', () => {
  it('are channels-last', () => {
    const x = type('float32', n, 3, 32, 16)
    const [step] = lower(
      find(conv, 'Conv'),
      [x, type('float32', 8, 3, 3, 3)],
      attributes({ strides: [2, 2] }),
    )
    expect(step?.op).toBe('Conv')
    expect(step?.inputs[0]?.dims.map(formatDim)).toEqual(['n', '32', '16', '3'])
    expect(dims(step)).toBe('n,15,7,8')
    expect(ints(step, 'pads')).toEqual([0, 0, 0, 0])
  })

  it('stay in 8 bits for MaxPool, unless it wants indices', () => {
    const x = type('uint8', 1, 3, 8, 8)
    const window = attributes({ kernel_shape: [2, 2] })
    expect(names(lower(find(pool, 'MaxPool'), [x], window))).toEqual(['QPool'])
    const both = lower(find(pool, 'MaxPool'), [x], window, { outputs: 2 })
    expect(names(both)).toEqual(['Cast', 'Pool', 'Cast'])
  })

  it('reduce whole axes in the layout that the input has', () => {
    const x = type('float32', 1, 3, n, n)
    const [step] = lower(find(pool, 'GlobalAveragePool'), [x], {}, { layout: [0, 2, 3, 1] })
    expect(step?.op).toBe('Reduce')
    expect(ints(step, 'axes')).toEqual([1, 2])
    expect(dims(step)).toBe('1,1,1,3')
  })

  it('take QLinearConv in the order of QConv, scales as scalars or vectors', () => {
    const w = constant('int8', [4, 3, 3, 3], new Uint8Array(108))
    const operands = [type('uint8', 1, 3, 8, 8), scale, zero, w, type('float32', 4), undefined, scale, zero]
    const [step] = lower(find(qoperator, 'QLinearConv'), operands)
    expect(step?.kind).toBe('integer')
    expect(inputNames(step)).toEqual(['in0', 'in1', 'in2', 'in3', 'in4', '', 'in6', 'in7'])
    expect(step?.inputs[1]?.dims).toEqual([])
    expect(step?.inputs[4]?.dims).toEqual([4])
  })
})

describe('steps of products', () => {
  it('see vectors as matrices', () => {
    const steps = lower(find(matmul, 'MatMul'), [type('float32', 3), type('float32', 2, 3, 4)])
    expect(names(steps)).toEqual(['MatMul', 'alias'])
    expect(steps[0]?.inputs[0]?.dims).toEqual([1, 3])
    expect(dims(steps[0])).toBe('2,1,4')
    expect(dims(steps[1])).toBe('2,4')
  })

  it('convert what is not float32', () => {
    const half = (...shape: number[]) => type('float16', ...shape)
    expect(names(lower(find(matmul, 'Gemm'), [half(2, 3), half(3, 4)]))).toEqual([
      'Cast',
      'Cast',
      'MatMul',
      'Cast',
    ])
  })

  it('quantize at run for DynamicQuantizeMatMul', () => {
    const steps = lower(find(contribFused, 'DynamicQuantizeMatMul'), [
      ...[type('float32', n, 3), type('int8', 3, 4), type('float32', 4)],
    ])
    expect(names(steps)).toEqual(['DynamicQuantizeLinear', 'QMatMul'])
    expect(steps[1]?.outputs[0]?.dtype).toBe('float32')
  })

  it('apply an activation in the step or after it', () => {
    const operands = [type('float32', 1, 3, 4), type('float32', 2, 3, 1)]
    const of = (activation: string) =>
      names(lower(find(contribFused, 'FusedConv'), operands, attributes({ activation })))
    expect(of('Relu')).toEqual(['Conv'])
    expect(of('Tanh')).toEqual(['Conv', 'Unary'])
  })
})

describe('steps in a layout', () => {
  it('have the axis of a scale where the layout has it', () => {
    const operands = [type('int8', 1, 3, 4, 4), type('float32', 3)]
    const [step] = lower(find(quantization, 'DequantizeLinear'), operands, {}, { layout: [0, 2, 3, 1] })
    expect(ints(step, 'axis')).toEqual([3])
  })

  it('Resize channels-last, whichever axis holds the channels, or with all axes spatial', () => {
    const of = (scales: number[]) =>
      lower(find(resize, 'Resize'), [type('float32', 1, 2, 4, 6), undefined, float([4], scales)])
    expect(of([1, 1, 2, 2])[0]?.inputs[0]?.dims).toEqual([1, 4, 6, 2])
    expect(of([1, 2, 2, 1])[0]?.inputs[0]?.dims).toEqual([1, 2, 4, 6])
    expect(names(of([2, 1, 1, 2]))).toEqual(['Resize', 'Copy'])
    expect(of([2, 1, 1, 2])[0]?.inputs[0]?.dims).toEqual([1, 1, 2, 4, 6, 1])
  })

  it('read batch-major sequences time-major', () => {
    const operands = [type('float32', 2, 5, 3), type('float32', 1, 16, 3), type('float32', 1, 16, 4)]
    const all = lower(find(recurrent, 'LSTM'), operands, attributes({ layout: 1 }), { outputs: 3 })
    const step = all.find(({ op }) => op === 'Recurrent')
    expect(step?.inputs[0]?.dims).toEqual([5, 2, 16])
    expect(all.find(({ op }) => op === 'MatMul')?.inputs[0]?.dims).toEqual([10, 3])
    expect([dims(step, 0), dims(step, 1), dims(step, 2)]).toEqual(['5,1,2,4', '1,2,4', '1,2,4'])
  })

  it('concatenate along the axis of the layout', () => {
    const x = type('uint8', 1, 2, 3, 3)
    const operands = [scale, zero, x, scale, zero, x, scale, zero]
    const [step] = lower(find(contribQuantized, 'QLinearConcat'), operands, {}, { layout: [0, 2, 3, 1] })
    expect(ints(step, 'axis')).toEqual([3])
    expect(dims(step)).toBe('1,3,3,4')
  })
})

describe('steps of attention', () => {
  const heads = (count: number, length: number) => type('float32', 2, count, length, 8)

  it('are one step', () => {
    const steps = lower(find(attention, 'Attention'), [heads(6, 4), heads(2, 5), heads(2, 5)])
    expect(names(steps)).toEqual(['Attention'])
    expect([ints(steps[0], 'heads'), ints(steps[0], 'kv_heads')]).toEqual([[6], [2]])
    const rest = [type('bool', 4, 1), heads(2, 3), heads(2, 3)]
    const operands = [heads(2, 4), heads(2, 5), heads(2, 5), ...rest]
    const masked = lower(find(attention, 'Attention'), operands, attributes({ is_causal: 1 }), { outputs: 3 })
    expect(names(masked)).toEqual(['Append', 'Append', 'Values', 'Where', 'Expand', 'Attention'])
    expect(dims(masked[0])).toBe('2,2,8,8')
  })

  it('are two products and Softmax where the scores are an output; grouped heads are rows', () => {
    const operands = [heads(6, 4), heads(2, 5), heads(2, 5)]
    const all = lower(find(attention, 'Attention'), operands, {}, { outputs: 4 })
    expect(names(all)).toEqual(['alias', 'alias', 'MatMul', 'alias', 'Softmax', 'MatMul', 'alias'])
    const steps = all.slice(2)
    expect(steps[0]?.inputs[0]?.dims).toEqual([2, 2, 12, 8])
    expect(dims(steps[4])).toBe('2,6,4,8')
  })

  it('mask before Softmax and clear rows without keys after it', () => {
    const steps = lower(
      find(attention, 'Attention'),
      [heads(2, 4), heads(2, 5), heads(2, 5), type('bool', 4, 5)],
      attributes({ is_causal: 1 }),
      { outputs: 4 },
    )
    const expected = [
      'Fill',
      'Trilu',
      'Where',
      'Where',
      'Binary',
      'Binary',
      'Softmax',
      'Reduce',
      'Compare',
      'Where',
    ]
    expect(names(steps)).toEqual(['alias', 'alias', 'MatMul', 'alias', ...expected, 'MatMul', 'alias'])
  })

  it('rotate pairs', () => {
    const cache = type('float32', 50, 4)
    const steps = lower(find(rotary, 'RotaryEmbedding'), [heads(3, 5), cache, cache, type('int64', 2, 5)])
    expect(names(steps)).toEqual(['Rotary'])
    expect(dims(steps[0])).toBe('2,3,5,8')
  })
})

describe('LayerNormalization', () => {
  it('gets a scale with all sizes', () => {
    const steps = lower(
      find(layerNorm, 'LayerNormalization'),
      [type('float32', 2, 3, 4), type('float32', 3, 1)],
      attributes({ axis: 1 }),
    )
    expect(names(steps)).toEqual(['Expand', 'LayerNorm'])
    expect(dims(steps[0])).toBe('3,4')
  })
})
