/** What products of weights in blocks make of their activations: by the session, the file, or as onnxruntime would. */
import { describe, expect, test } from 'vitest'
import { InferenceSession, Tensor } from '../../lib/index.js'
import type { SessionOptions } from '../../lib/session/options.js'
import { floatTensor, int, modelBytes, node, value } from '../helpers/model.js'

const [K, N, GROUP] = [64, 24, 32]
const weights = Uint8Array.from({ length: (K * N) / 2 }, (_, i) => (i * 89 + 17) % 256)
const scales = Array.from({ length: (K / GROUP) * N }, (_, i) => ((i % 7) + 1) / 64)

const graph = {
  name: 'g',
  input: [value('x', [3, K])],
  output: [value('y', [3, N])],
  initializer: [
    { name: 'w', dataType: 22, dims: [BigInt(K), BigInt(N)], rawData: weights },
    floatTensor('s', [K / GROUP, N], scales),
  ],
  node: [
    node('DequantizeLinear', ['w', 's'], ['f'], [int('axis', 0), int('block_size', GROUP)]),
    node('MatMul', ['x', 'f'], ['y']),
  ],
}

const x = Float32Array.from({ length: 3 * K }, (_, i) => ((i * 37) % 101) / 50 - 1)

function product(): Float64Array {
  const y = new Float64Array(3 * N)
  for (let i = 0; i < 3; i++)
    for (let k = 0; k < K; k++)
      for (let j = 0; j < N; j++) {
        const at = k * N + j
        const level = ((weights[at >> 1] as number) >> (at % 2 === 0 ? 0 : 4)) & 15
        const scale = scales[Math.floor(k / GROUP) * N + j] as number
        const w = (level < 8 ? level : level - 16) * scale
        y[i * N + j] = (y[i * N + j] as number) + (x[i * K + k] as number) * w
      }
  return y
}

async function run(options: SessionOptions, stated?: string) {
  const metadataProps = stated ? [{ key: 'octavo.block_activations', value: stated }] : []
  const bytes = modelBytes(graph, 21, { metadataProps })
  const session = await InferenceSession.create(bytes, options)
  const { y } = await session.run({ x: new Tensor('float32', x, [3, K]) })
  const expected = product()
  const largest = Math.max(...expected.map(Math.abs))
  const error = Math.max(...expected.map((v, i) => Math.abs(v - (y?.data[i] as number)))) / largest
  const form = session.explain().at(-1)?.form
  await session.release()
  return { error, form }
}

describe('activations of products of weights in blocks', () => {
  const level = (value: unknown) => ({ extra: { session: { qdq_matmulnbits_accuracy_level: value } } })

  test.each([
    ['as onnxruntime would', {}, undefined, 'integer 4-bit, group 32'],
    ['as the file says', {}, 'float', 'float activations, 4-bit, group 32'],
    ['as the session says', level('0'), undefined, 'float activations, 4-bit, group 32'],
    ['the session before the file', level(4), 'float', 'integer 4-bit, group 32'],
    [
      'by the whole name',
      { extra: { 'session.qdq_matmulnbits_accuracy_level': '1' } },
      undefined,
      'float activations, 4-bit, group 32',
    ],
  ])('%s', async (_, options, stated, form) => {
    const got = await run(options, stated)
    expect(got.form).toBe(form)
    expect(got.error).toBeLessThan(form.startsWith('float') ? 1e-6 : 0.01)
    // Integers are seen as such.
    if (!form.startsWith('float')) expect(got.error).toBeGreaterThan(1e-5)
  })

  test('as it is written, in float, without optimization', async () => {
    const got = await run({ graphOptimizationLevel: 'disabled' })
    expect(got.form).toBeUndefined()
    expect(got.error).toBeLessThan(1e-6)
  })

  test('levels that there are none of are refused', async () => {
    for (const value of ['5', -1, 'high', '']) {
      await expect(run(level(value))).rejects.toThrow(/'extra.session.qdq_matmulnbits_accuracy_level'/)
    }
  })
})
