/** Quantized attention: heads are not moved, scores are scaled by their quantizer, softmax stays in bytes. */
import { expect, it } from 'vitest'
import { InferenceSession, Tensor } from '../../lib/index.js'
import { floatTensor, int, ints, modelBytes, node, value } from '../helpers/model.js'

const HEADS = 3
const WIDTH = 4
const SCALE = 0.02

/** x through QuantizeLinear and DequantizeLinear; the nodes, and the name of what comes out. */
function quantized(x: string, scale: string) {
  return [
    node('QuantizeLinear', [x, scale, 'zero'], [`${x}_q`]),
    node('DequantizeLinear', [`${x}_q`, scale, 'zero'], [`${x}_dq`]),
  ]
}

function attention(): Uint8Array {
  const dims = [1, 'tokens', HEADS, WIDTH]
  return modelBytes(
    {
      name: 'g',
      input: ['q', 'k', 'v'].map((name) => value(name, dims)),
      output: [value('y', undefined)],
      initializer: [
        floatTensor('scale', [], [SCALE]),
        floatTensor('unit', [], [1 / 255]),
        floatTensor('root', [], [Math.sqrt(WIDTH)]),
        { name: 'zero', dataType: 2, dims: [], int32Data: [0] },
      ],
      node: [
        ...['q', 'k', 'v'].flatMap((name) => quantized(name, 'scale')),
        node('Transpose', ['q_dq'], ['a'], [ints('perm', [0, 2, 1, 3])]),
        node('Transpose', ['k_dq'], ['b'], [ints('perm', [0, 2, 3, 1])]),
        node('Transpose', ['v_dq'], ['c'], [ints('perm', [0, 2, 1, 3])]),
        node('MatMul', ['a', 'b'], ['product']),
        node('Div', ['product', 'root'], ['scores']),
        ...quantized('scores', 'scale'),
        node('Softmax', ['scores_dq'], ['weights'], [int('axis', -1)]),
        ...quantized('weights', 'unit'),
        node('MatMul', ['weights_dq', 'c'], ['mixed']),
        ...quantized('mixed', 'scale'),
        node('Transpose', ['mixed_dq'], ['y'], [ints('perm', [0, 2, 1, 3])]),
      ],
    },
    21,
  )
}

it('attention moves no heads and gives what its separate steps give', async () => {
  await using session = await InferenceSession.create(attention(), { enableProfiling: true })
  await using plain = await InferenceSession.create(attention(), { graphOptimizationLevel: 'disabled' })
  for (const tokens of [1, 5, 33]) {
    const tensor = (seed: number) => {
      const data = Float32Array.from({ length: tokens * HEADS * WIDTH }, (_, i) => ((i * seed) % 97) / 30)
      return new Tensor('float32', data, [1, tokens, HEADS, WIDTH])
    }
    const feeds = { q: tensor(31), k: tensor(17), v: tensor(53) }
    const got = (await session.run(feeds)).y?.data as Float32Array
    const want = (await plain.run(feeds)).y?.data as Float32Array
    const apart = got.map((x, i) => Math.abs(x - (want[i] as number)))
    expect(Math.max(...apart)).toBeLessThan(1.5 * SCALE)
  }
  expect(new Set(session.profile().map((step) => step.op))).not.toContain('Transpose')
  expect(session.profile().map((step) => step.op)).toContain('QSoftmax')
})
