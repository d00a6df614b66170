import { describe, expect, it } from 'vitest'
import { recurrentWeights } from '../../../lib/compile/steps/recurrent.js'
import { parseDraft, rewritten, trimmed } from '../../helpers/plan-text.js'

/** An RNN of two hidden units. `r`: how its weights become floats. */
const plan = (constants: string, r: string, directions = 1) => `
  input x: float32[3, 1, ${2 * directions}]
  constant q: int8[${directions}, 2, 2] = ${directions === 1 ? '1, -2, 3, 4' : '1, -2, 3, 4, 5, 6, 7, 8'}
  ${constants}
  ${r}
  output y: float32[3, ${directions}, 1, 2] = Recurrent(x: x, r: r) { cell: rnn, direction: ${directions === 1 ? 'reverse' : 'bidirectional'} } float #rnn
  return y`

const rows = 'constant s: float32[2] = 0.5, 0.25'
const dequantize = (parameters: string, attributes = ' { axis: 1 }', directions = 1) =>
  `r: float32[${directions}, 2, 2] = DequantizeLinear(x: q(${parameters}))${attributes} convert #dq`

describe('recurrentWeights', () => {
  it('takes levels with a scale for each row', () => {
    expect(rewritten(recurrentWeights, plan(rows, dequantize('s')))).toContain(
      'y: float32[3, 1, 1, 2] = QRecurrent(x: x, r: q(s)) { cell: rnn, direction: reverse } float #rnn',
    )
    const zeros = `${rows}\nconstant z: int8[2] = 0, 0`
    expect(rewritten(recurrentWeights, plan(zeros, dequantize('s, z')))).toContain(
      'QRecurrent(x: x, r: q(s))',
    )
  })

  it('takes one scale', () => {
    const text = rewritten(recurrentWeights, plan('constant s: float32[] = 0.5', dequantize('s', '')))
    expect(text).toContain('QRecurrent(x: x, r: q(s))')
  })

  it('gives the rows of the second direction the scales that both share', () => {
    const draft = recurrentWeights(parseDraft(plan(rows, dequantize('s', ' { axis: 1 }', 2), 2)))
    const scales = draft.tensors[draft.steps.at(-1)?.inputs[2] ?? -1]
    expect(scales?.dims).toEqual([4])
    expect([...new Float32Array(new Uint8Array(scales?.data ?? []).buffer)]).toEqual([0.5, 0.25, 0.5, 0.25])
  })

  it('takes rows that a Reshape gave to their directions', () => {
    const text = plan(
      'constant s: float32[4] = 1, 2, 3, 4\nconstant flat: int8[4, 2] = 1, 2, 3, 4, 5, 6, 7, 8',
      `f: float32[4, 2] = DequantizeLinear(x: flat(s)) { axis: 0 } convert #dq
       alias r: float32[2, 2, 2] of f`,
      2,
    )
    expect(rewritten(recurrentWeights, text)).toMatch(/alias (\S+): int8\[2, 2, 2\] of flat[\s\S]*r: \1\(s\)/)
  })

  it('leaves scales of columns, and zero points that are not 0', () => {
    for (const text of [
      plan(rows, dequantize('s', ' { axis: 2 }')),
      plan(`${rows}\nconstant z: int8[2] = 0, 1`, dequantize('s, z')),
    ]) {
      const lines = trimmed(text).split('\n')
      expect(rewritten(recurrentWeights, text)).toContain(lines.slice(-4).join('\n'))
    }
  })
})
