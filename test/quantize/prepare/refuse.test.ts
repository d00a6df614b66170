import { describe, expect, it } from 'vitest'
import { refuseQuantized } from '../../../lib/quantize/prepare/refuse.js'
import { graph, node, residualNet } from '../graphs.js'

describe('refusals', () => {
  it.each([
    'QuantizeLinear',
    'DequantizeLinear',
    'QLinearConv',
    'ConvInteger',
    'DynamicQuantizeLinear',
    'QGemm',
  ])('%s is quantized already', (opType) => {
    const g = graph({ inputs: { x: [1] }, outputs: ['y'], nodes: [{ ...node('y = Relu(x)'), opType }] })
    expect(() => refuseQuantized(g)).toThrow(/quantized already: node 'Relu:y'/)
  })

  it('float models pass', () => {
    expect(() => refuseQuantized(residualNet())).not.toThrow()
  })
})
