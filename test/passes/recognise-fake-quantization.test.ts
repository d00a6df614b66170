import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { foldConstants } from '../../lib/passes/fold-constants.js'
import type { Pass } from '../../lib/passes/pass.js'
import { recogniseFakeQuantization } from '../../lib/passes/recognise-fake-quantization.js'
import { expectRewrite, expectUntouched } from './golden.js'
import { expectSameAnswers } from './same-answers.js'

const graphOf = (...lines: string[]) => `
  graph g (x: float32[2, 3]) -> (y: ?)
    s: float32[] = 0.5
    r: float32[] = 2
    z: float32[1] = 3
    least: float32[] = -128
    most: float32[] = 127
    zero: float32[] = 0
    all: float32[] = 255
    half: float32[] = 0.5
    ${lines.join('\n    ')}
`

describe('recogniseFakeQuantization', () => {
  it('finds one scale without a zero point', () =>
    expectRewrite(
      recogniseFakeQuantization,
      graphOf('d = Div(x, s)', 'q = Round(d)', 'c = Clip(q, least, most)', 'y = Mul(c, s)'),
      `
      graph g (x: float32[2, 3]) -> (y: ?)
        Mul_y:scale: float32[] = 0.5
        Mul_y:zero: int8[] = 0
        Mul_y:levels = QuantizeLinear(x, Mul_y:scale, Mul_y:zero)
        y = DequantizeLinear(Mul_y:levels, Mul_y:scale, Mul_y:zero)
      `,
    ))

  it('finds a zero point, the inverse of the scale, and casts', () =>
    expectRewrite(
      recogniseFakeQuantization,
      graphOf(
        'd = Mul(x, r)',
        'q = Round(d)',
        'a = Add(q, z)',
        'c = Clip(a, zero, all)',
        'i = Cast(c) {to=2}',
        'f = Cast(i) {to=1}',
        'b = Sub(f, z)',
        'y = Mul(s, b)',
      ),
      `
      graph g (x: float32[2, 3]) -> (y: ?)
        Mul_y:scale: float32[] = 0.5
        Mul_y:zero: uint8[] = 3
        Mul_y:levels = QuantizeLinear(x, Mul_y:scale, Mul_y:zero)
        y = DequantizeLinear(Mul_y:levels, Mul_y:scale, Mul_y:zero)
      `,
    ))

  it('clips where the type has more levels than the model', () =>
    expectRewrite(
      recogniseFakeQuantization,
      graphOf(
        'd = Div(x, s)',
        'm = Max(d, low)',
        'n = Min(m, most)',
        'q = Round(n)',
        'y = Mul(q, s)',
      ).replace('least: float32[] = -128', 'low: float32[] = -127'),
      `
      graph g (x: float32[2, 3]) -> (y: ?)
        Mul_y:scale: float32[] = 0.5
        Mul_y:zero: int8[] = 0
        Mul_y:least: float32[] = -63.5
        Mul_y:most: float32[] = 63.5
        Mul_y:clipped = Clip(x, Mul_y:least, Mul_y:most)
        Mul_y:levels = QuantizeLinear(Mul_y:clipped, Mul_y:scale, Mul_y:zero)
        y = DequantizeLinear(Mul_y:levels, Mul_y:scale, Mul_y:zero)
      `,
    ))

  it('keeps weights as integers, with a scale per channel that is reshaped on the way', () =>
    expectRewrite(
      async (graph, context) => foldConstants(recogniseFakeQuantization(graph), context),
      `
      graph g (x: float32[2, 3]) -> (y: ?)
        w: float32[3, 2] = 0.5 1.25 -1 0.75 300 -300
        s: float32[2] = 0.5 0.25
        least: float32[] = -127
        most: float32[] = 127
        shape: int64[2] = 1 2
        k = Reshape(s, shape)
        d = Div(w, k)
        q = Round(d)
        c = Clip(q, least, most)
        f = Mul(c, k)
        y = MatMul(x, f)
      `,
      `
      graph g (x: float32[2, 3]) -> (y: ?)
        Mul_f:levels: int8[3, 2] = 1 5 -2 3 127 -127
        Mul_f:scale: float32[2] = 0.5 0.25
        Mul_f:zero: int8[2] = 0 0
        f = DequantizeLinear(Mul_f:levels, Mul_f:scale, Mul_f:zero) {axis=1}
        y = MatMul(x, f)
      `,
    ))

  it.each([
    [
      'another scale on the way back',
      graphOf('d = Div(x, s)', 'q = Round(d)', 'c = Clip(q, least, most)', 'y = Mul(c, r)'),
    ],
    [
      'an inverse of something else',
      graphOf('d = Mul(x, z)', 'q = Round(d)', 'c = Clip(q, least, most)', 'y = Mul(c, s)'),
    ],
    ['levels without an end', graphOf('d = Div(x, s)', 'q = Round(d)', 'y = Mul(q, s)')],
    [
      'an end that is no level',
      graphOf('d = Div(x, s)', 'c = Clip(d, half, most)', 'q = Round(c)', 'y = Mul(q, s)'),
    ],
    [
      'a zero point that is not taken off',
      graphOf('d = Div(x, s)', 'q = Round(d)', 'a = Add(q, z)', 'c = Clip(a, zero, all)', 'y = Mul(c, s)'),
    ],
    [
      'a shift before the rounding',
      graphOf(
        'd = Div(x, s)',
        'a = Add(d, z)',
        'q = Round(a)',
        'c = Clip(q, zero, all)',
        'b = Sub(c, z)',
        'y = Mul(b, s)',
      ),
    ],
    [
      'more levels than 8 bits hold',
      graphOf('d = Div(x, s)', 'q = Round(d)', 'c = Clip(q, least, all)', 'y = Mul(c, s)'),
    ],
    [
      'a scale that is fed',
      graphOf('d = Div(s, x)', 'q = Round(d)', 'c = Clip(q, least, most)', 'y = Mul(c, x)'),
    ],
  ])('leaves %s', (_, text) => expectUntouched(recogniseFakeQuantization, text))

  it('gives the same levels, of ties too', async () => {
    const pass: Pass = recogniseFakeQuantization
    const form = fc.record({
      step: fc.constantFrom(1 / 64, 0.0078125, 0.0123, 0.3),
      divides: fc.boolean(),
      zero: fc.integer({ min: 0, max: 255 }),
      ends: fc.constantFrom([0, 255], [-128, 127], [-127, 127], [0, 127], [-8, 7]),
      shifts: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(form, async ({ step, divides, zero, ends, shifts }) => {
        const [low, high] = ends as [number, number]
        const z = Math.max(low, Math.min(high, zero + low))
        const text = `
          graph g (x: float32[40, 50]) -> (y: ?)
            s: float32[] = ${step}
            z: float32[] = ${z}
            r: float32[] = ${Math.fround(1 / Math.fround(step))}
            low: float32[] = ${low}
            high: float32[] = ${high}
            d = ${divides ? 'Div(x, s)' : 'Mul(x, r)'}
            q = Round(d)
            a = ${shifts ? 'Add(q, z)' : 'Identity(q)'}
            c = Clip(a, low, high)
            b = ${shifts ? 'Sub(c, z)' : 'Identity(c)'}
            y = Mul(b, s)
        `.replaceAll(/^ *(\w) = Identity\((\w)\)\n/gm, '')
        const direct = shifts ? text : text.replace('Clip(a', 'Clip(q').replace('Mul(b', 'Mul(c')
        const after = await expectSameAnswers(pass, direct, { scale: 150 * step, within: 0 })
        expect(after.nodes.at(-1)?.opType).toBe('DequantizeLinear')
      }),
      { numRuns: 60, seed: 9 },
    )
  })
})
