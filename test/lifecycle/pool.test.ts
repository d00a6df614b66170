/** The threads of the pool: quiet when there is nothing to do, shared by sessions that run at once. */
import { expect, test } from 'vitest'
import { InferenceSession, Tensor } from '../../lib/index.js'
import { FLOAT, modelBytes, node, value } from '../helpers/model.js'

const SIZE = 256
const weights = Float32Array.from({ length: SIZE * SIZE }, (_, i) => ((i * 37) % 64) / 64 - 0.5)

const model = modelBytes({
  name: 'g',
  input: [value('x', [SIZE, SIZE])],
  output: [value('y', [SIZE, SIZE])],
  node: [node('MatMul', ['x', 'w'], ['y'], [], 'product')],
  initializer: [
    {
      name: 'w',
      dims: [BigInt(SIZE), BigInt(SIZE)],
      dataType: FLOAT,
      rawData: new Uint8Array(weights.buffer),
    },
  ],
})

const x = new Tensor('float32', weights, [SIZE, SIZE])

test('no thread of the pool spins when the runs are over', async () => {
  const session = await InferenceSession.create(model, { intraOpNumThreads: 2 })
  for (let i = 0; i < 20; i++) await session.run({ x })
  await new Promise((resolve) => setTimeout(resolve, 100))
  const before = process.cpuUsage()
  await new Promise((resolve) => setTimeout(resolve, 1000))
  const { user, system } = process.cpuUsage(before)
  await session.release()
  expect(user + system).toBeLessThan(250_000)
})

test('sessions that run at once share the threads and give what they give alone', async () => {
  const sessions = await Promise.all(
    [2, 2, 1].map((intraOpNumThreads) => InferenceSession.create(model, { intraOpNumThreads })),
  )
  const bytes = (y: Tensor | undefined) => Buffer.from(((y as Tensor).data as Float32Array).buffer)
  const alone = bytes((await sessions[2]?.run({ x }))?.y)
  const results = await Promise.all(
    sessions.flatMap((session) => Array.from({ length: 50 }, () => session.run({ x }))),
  )
  for (const { y } of results) expect(bytes(y).equals(alone)).toBe(true)
  await Promise.all(sessions.map((session) => session.release()))
})
