import { describe, expect, it } from 'vitest'
import { cutAfter } from '../../../lib/quantize/layerwise/parts.js'
import { residualNet } from '../graphs.js'

describe('parts', () => {
  it('hold what later ones read, and nothing else', () => {
    const float = residualNet()
    const cuts = new Set(float.nodes.filter((n) => n.opType === 'Conv' || n.opType === 'Gemm'))
    const parts = cutAfter(float, cuts)
    expect(parts.map((s) => [s.inputs.join(), s.outputs.join(), [...s.live].join()])).toEqual([
      ['x', 'c1', 'c1'],
      ['c1', 'r1,c2', 'r1,c2'],
      ['c2,r1', '', ''],
    ])
  })
})
