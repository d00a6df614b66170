import { describe, expect, it } from 'vitest'
import { clipOfLevels } from '../../lib/passes/clip-of-levels.js'
import { expectRewrite, expectUntouched } from './golden.js'
import { expectSameAnswers } from './same-answers.js'

const graphOf = (...lines: string[]) => `
  graph g (x: float32[2, 3]) -> (y: ?)
    s: float32[] = 0.5
    channels: float32[3] = 0.5 1 2
    z: int8[] = 3
    zeros: int8[3] = 3 3 3
    least: int8[] = -7
    most: int8[] = 7
    ${lines.join('\n    ')}
`
const dequantized = 'y = DequantizeLinear(c, s, z)'

describe('clipOfLevels', () => {
  it('makes the Clip one of real numbers, before they are quantized', () =>
    expectRewrite(
      clipOfLevels,
      graphOf('q = QuantizeLinear(x, s, z)', 'c = Clip(q, least, most)', dequantized),
      `
      graph g (x: float32[2, 3]) -> (y: ?)
        s: float32[] = 0.5
        z: int8[] = 3
        Clip_c:least: float32[] = -5
        Clip_c:most: float32[] = 2
        Clip_c:clipped = Clip(x, Clip_c:least, Clip_c:most)
        c = QuantizeLinear(Clip_c:clipped, s, z)
        y = DequantizeLinear(c, s, z)
      `,
    ))

  it('takes one bound', () =>
    expectRewrite(
      clipOfLevels,
      graphOf('q = QuantizeLinear(x, s, z)', 'c = Clip(q, _, most)', dequantized),
      `
      graph g (x: float32[2, 3]) -> (y: ?)
        s: float32[] = 0.5
        z: int8[] = 3
        Clip_c:most: float32[] = 2
        Clip_c:clipped = Clip(x, _, Clip_c:most)
        c = QuantizeLinear(Clip_c:clipped, s, z)
        y = DequantizeLinear(c, s, z)
      `,
    ))

  it.each([
    [
      'scales of channels',
      graphOf(
        'q = QuantizeLinear(x, channels, zeros)',
        'c = Clip(q, least, most)',
        'y = DequantizeLinear(c, channels, zeros)',
      ),
    ],
    [
      'levels that something else reads',
      graphOf(
        'q = QuantizeLinear(x, s, z)',
        'c = Clip(q, least, most)',
        'd = DequantizeLinear(c, s, z)',
        'e = DequantizeLinear(q, s, z)',
        'y = Add(d, e)',
      ),
    ],
    [
      'a Clip of real numbers',
      graphOf('c = Clip(x, s, s)', 'q = QuantizeLinear(c, s, z)', 'y = DequantizeLinear(q, s, z)'),
    ],
  ])('leaves %s', (_, text) => expectUntouched(clipOfLevels, text))

  it.each([0.5, 0.0123, 0.3])('gives the same levels for a scale of %s', async (scale) => {
    const text = graphOf('q = QuantizeLinear(x, s, z)', 'c = Clip(q, least, most)', dequantized)
      .replace('[2, 3])', '[40, 50])')
      .replace('float32[] = 0.5', `float32[] = ${scale}`)
    const after = await expectSameAnswers(clipOfLevels, text, { scale: 12 * scale, within: 0 })
    expect(after.nodes.map(({ opType }) => opType)).toEqual(['Clip', 'QuantizeLinear', 'DequantizeLinear'])
  })
})
