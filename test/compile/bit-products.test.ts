/** Networks of signs from the file on: what explain says, the answers of the float graph, and what quantize leaves of them. */
import { describe, expect, it } from 'vitest'
import { explain, InferenceSession, quantize, Tensor } from '../../lib/index.js'
import { writeModel } from '../../lib/onnx/index.js'
import { parseGraph } from '../helpers/graph-text.js'
import { noise } from '../passes/same-answers.js'

const signs = (count: number, seed: number) =>
  noise(count, seed)
    .map((v) => (v < 0 ? -1 : 1))
    .join(' ')

const graph = parseGraph(`
  graph g (x: float32[1, 3, 10, 10]) -> (y: float32[1, 7])
    first: float32[40, 3, 3, 3] = ${noise(40 * 27, 1).join(' ')}
    v: float32[70, 40, 3, 3] = ${signs(70 * 360, 2)}
    t: float32[1, 70, 1, 1] = 3 -4.5 0 ...
    w: float32[630, 7] = ${signs(630 * 7, 3)}
    zero: float32[] = 0
    one: float32[] = 1
    minus: float32[] = -1
    a = Conv(x, first) {pads=[1, 1, 1, 1]} # first
    l = Less(a, zero)
    b = Where(l, minus, one)
    c = Conv(b, v) {pads=[1, 1, 1, 1]} # second
    d = Sub(c, t) # threshold
    s = Sign(d) # sign
    p = MaxPool(s) {kernel_shape=[3, 3], strides=[3, 3]}
    f = Flatten(p)
    y = MatMul(f, w) # last
`)
const model = writeModel({ graph, opset: 21, irVersion: 10, producer: '', metadata: {} })
const x = new Tensor('float32', Float32Array.from(noise(300, 5)), [1, 3, 10, 10])

async function answers(file: Uint8Array, options: InferenceSession.SessionOptions = {}) {
  const session = await InferenceSession.create(file, options)
  const { y } = await session.run({ x })
  await session.release()
  return y?.data as Float32Array
}

describe('a network of signs', () => {
  it('counts bits, and explain says so', async () => {
    const { nodes } = await explain(model)
    const form = (name: string) => nodes.find(({ node }) => node === name)?.form
    for (const name of ['second', 'threshold', 'sign', 'last'])
      expect(form(name)).toBe('integer 1-bit, activations of 1 bit')
    expect(form('first')).toBeUndefined()
  })

  it('gives the answers of the float graph', async () => {
    expect(await answers(model)).toEqual(await answers(model, { graphOptimizationLevel: 'disabled' }))
  })

  it('is float for quantize, which chooses levels of its own', async () => {
    const data = Array.from({ length: 8 }, (_, i) => ({
      x: new Tensor('float32', Float32Array.from(noise(300, i + 1)), [1, 3, 10, 10]),
    }))
    const { model: quantized } = await quantize(model, { data })
    const [got, want] = [await answers(quantized), await answers(model)]
    const largest = Math.max(...want.map(Math.abs))
    got.forEach((v, i) => void expect(Math.abs(v - (want[i] as number))).toBeLessThan(0.1 * largest))
  })
})
