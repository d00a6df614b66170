/** What `inspect` says of weights, of models that run and of those that do not. */
import { expect, it } from 'vitest'
import { inspect } from '../../lib/index.js'
import { writeModel } from '../../lib/onnx/index.js'
import { parseGraph } from '../helpers/graph-text.js'

const bytesOf = (text: string) =>
  writeModel({ graph: parseGraph(text), opset: 21, irVersion: 10, producer: '', metadata: {} })

it('describes the weights of a model whose operators Octavo does not have', async () => {
  const { weights } = await inspect(
    bytesOf(`
      graph g (x: float32[2, 2]) -> (y: float32[])
        w: float32[2, 2] = 1 2 3 4
        m = MatMul(x, w)
        y = Det(m)
    `),
  )
  expect(weights).toMatchObject([{ name: 'w', fileBits: 32, min: 1, max: 4 }])
  expect(weights[0]).not.toHaveProperty('memoryBits')
})

it('counts zero points of blocks with the bits of their levels', async () => {
  const { weights } = await inspect(
    bytesOf(`
      graph g (x: float32[1, 64]) -> (y: float32[1, 16])
        w: uint4[64, 16] = ${Array.from({ length: 1024 }, (_, i) => i % 16).join(' ')}
        s: float32[2, 16] = ${Array.from({ length: 32 }, (_, i) => 0.1 + i / 1000).join(' ')}
        z: uint4[2, 16] = ${Array.from({ length: 32 }, (_, i) => i % 16).join(' ')}
        d = DequantizeLinear(w, s, z) {axis=0, block_size=32}
        y = MatMul(x, d)
    `),
  )
  // A scale of 32 bits and a zero point of 4 for each 32 levels.
  expect(weights).toMatchObject([{ name: 'w', fileBits: 4 + 36 / 32, memoryBits: 4 + 36 / 32 }])
})
