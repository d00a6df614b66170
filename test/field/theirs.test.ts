import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { script } from './module.js'

interface Feed {
  readonly type: string
  readonly dims: readonly number[]
  readonly data: ArrayBufferView
}
const { keyOf, remembered } = await script<{
  keyOf(model: Uint8Array, samples: readonly Record<string, Feed>[], quantizer: string): string
  remembered(name: string, key: string, measure: () => Promise<unknown>, cache: string): Promise<unknown>
}>('theirs.mjs')
const feed = (...data: number[]) => ({
  x: { type: 'float32', dims: [data.length], data: Float32Array.from(data) },
})

it('keys by model, inputs and quantizer', () => {
  const model = Uint8Array.of(1)
  const key = keyOf(model, [feed(1, 2)], '1')
  expect(keyOf(model, [feed(1, 2)], '1')).toBe(key)
  const others = [
    keyOf(Uint8Array.of(2), [feed(1, 2)], '1'),
    keyOf(model, [feed(1, 3)], '1'),
    keyOf(model, [feed(1), feed(2)], '1'),
    keyOf(model, [feed(1, 2)], '2'),
  ]
  expect(new Set([key, ...others]).size).toBe(5)
})

it('measures once, and keeps numbers that JSON does not have', async () => {
  const cache = mkdtempSync(join(tmpdir(), 'octavo-field-'))
  try {
    let count = 0
    const measure = async () => ({ sqnr: Infinity, perSample: [-Infinity, 1], count: ++count })
    await remembered('a', 'k', measure, cache)
    expect(await remembered('a', 'k', measure, cache)).toEqual({
      sqnr: Infinity,
      perSample: [-Infinity, 1],
      count: 1,
    })
    expect(await remembered('a', 'l', measure, cache)).toMatchObject({ count: 2 })
  } finally {
    rmSync(cache, { recursive: true })
  }
})
