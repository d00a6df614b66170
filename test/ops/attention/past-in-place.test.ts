/** A past that is a state, written where it is: token after token gives what the whole sequence gives at once. */
import { describe, expect, test } from 'vitest'
import { prepare } from '../../../lib/compile/model.js'
import { compileGraph } from '../../../lib/compile/run/engine.js'
import type { StateValue } from '../../../lib/compile/run/state-store.js'
import { parseGraph } from '../../helpers/graph-text.js'
import { int } from '../../helpers/model.js'
import { Random } from '../../helpers/random.js'
import { distance, fed, runNode } from './run-node.js'

const [HEADS, KEY_HEADS, SIZE, CAPACITY] = [4, 2, 16, 12]
const WIDTH = HEADS * SIZE
const KEY_WIDTH = KEY_HEADS * SIZE
const INPUTS = `q: float32[1, s, ${WIDTH}], k: float32[1, s, ${KEY_WIDTH}], v: float32[1, s, ${KEY_WIDTH}]`
const CACHE = `float32[${CAPACITY}, ${SIZE / 2}]`
const past = (type: string) => `${type}[1, ${KEY_HEADS}, ${CAPACITY}, ${SIZE}]`
const scales = `float32[1, ${KEY_HEADS}, ${CAPACITY}]`
const ATTRIBUTES = `{num_heads=${HEADS}, kv_num_heads=${KEY_HEADS}, do_rotary=1}`
const LENGTHS = `n: int64[1], lens: int32[1], total: int32[1], cos: ${CACHE}, sin: ${CACHE}`

const FLOAT = `
  graph g (${INPUTS}, ${LENGTHS}) -> (y: float32[1, s, ${WIDTH}])
    state pk: ${past('float32')} <- nk
    state pv: ${past('float32')} <- nv
    y, nk, nv = com.microsoft.GroupQueryAttention(q, k, v, pk, pv, lens, total, cos, sin, _, _, _, _, _, _, _, n) ${ATTRIBUTES}
`

const INT8 = `
  graph g (${INPUTS}, ${LENGTHS}) -> (y: float32[1, s, ${WIDTH}])
    state pk: ${past('int8')} <- nk
    state pv: ${past('int8')} <- nv
    state ks: ${scales} <- nks
    state vs: ${scales} <- nvs
    y, nk, nv, _, nks, nvs = com.microsoft.GroupQueryAttention(q, k, v, pk, pv, lens, total, cos, sin, _, _, _, _, _, _, _, n, ks, vs) ${ATTRIBUTES}
`

const value = (
  dtype: 'float32' | 'int64' | 'int32',
  dims: number[],
  data: number[] | Float32Array,
): StateValue => {
  const array =
    dtype === 'float32'
      ? Float32Array.from(data)
      : dtype === 'int32'
        ? Int32Array.from(data)
        : BigInt64Array.from(Array.from(data, BigInt))
  return { dtype, dims, data: new Uint8Array(array.buffer) }
}

function make() {
  const random = new Random(5)
  const numbers = (count: number) => Float32Array.from({ length: count }, () => random.uniform(-1, 1))
  const angles = numbers((CAPACITY * SIZE) / 2)
  return {
    q: numbers(CAPACITY * WIDTH),
    k: numbers(CAPACITY * KEY_WIDTH),
    v: numbers(CAPACITY * KEY_WIDTH),
    cos: angles.map(Math.cos),
    sin: angles.map(Math.sin),
  }
}

type Made = ReturnType<typeof make>

function feeds({ q, k, v, cos, sin }: Made, from: number, count: number) {
  const rows = (x: Float32Array, width: number) =>
    value('float32', [1, count, width], x.subarray(from * width, (from + count) * width))
  return {
    q: rows(q, WIDTH),
    k: rows(k, KEY_WIDTH),
    v: rows(v, KEY_WIDTH),
    n: value('int64', [1], [from]),
    lens: value('int32', [1], [from + count - 1]),
    total: value('int32', [1], [from + count]),
    cos: value('float32', [CAPACITY, SIZE / 2], cos),
    sin: value('float32', [CAPACITY, SIZE / 2], sin),
  }
}

/** All positions by one node without a past. */
async function whole({ q, k, v, cos, sin }: Made): Promise<Float32Array> {
  const one = {
    opType: 'GroupQueryAttention',
    attributes: [int('num_heads', HEADS), int('kv_num_heads', KEY_HEADS), int('do_rotary', 1)],
    inputs: [
      fed('float32', [1, CAPACITY, WIDTH], q),
      fed('float32', [1, CAPACITY, KEY_WIDTH], k),
      fed('float32', [1, CAPACITY, KEY_WIDTH], v),
      undefined,
      undefined,
      fed('int32', [1], [CAPACITY - 1]),
      fed('int32', [1], [CAPACITY]),
      fed('float32', [CAPACITY, SIZE / 2], cos),
      fed('float32', [CAPACITY, SIZE / 2], sin),
    ],
    outputs: ['float32'] as const,
  }
  const [y] = await runNode(one)
  return y?.data as Float32Array
}

describe('a past in place', () => {
  test.each([
    ['float32', FLOAT, 1e-6],
    ['int8 with a scale for each head of a position', INT8, 0.02],
  ])('of %s', async (_, text, near) => {
    const made = make()
    const want = await whole(made)
    const engine = await compileGraph(await prepare(parseGraph(text), {}), {})
    for (const [from, count] of [
      [0, 5],
      [5, 1],
      [6, 1],
      [7, 4],
      [11, 1],
    ] as const) {
      const { y } = await engine.run(feeds(made, from, count))
      const got = new Float32Array(y?.data ?? new ArrayBuffer(0))
      expect(distance(got, want.subarray(from * WIDTH, (from + count) * WIDTH))).toBeLessThan(near)
    }
    // What was written before is read again: as after a reset to position 5.
    const { y } = await engine.run(feeds(made, 5, 1))
    const again = new Float32Array(y?.data ?? new ArrayBuffer(0))
    expect(distance(again, want.subarray(5 * WIDTH, 6 * WIDTH))).toBeLessThan(near)
    engine.release()
  })

  test('has an end', async () => {
    const made = make()
    const engine = await compileGraph(await prepare(parseGraph(FLOAT), {}), {})
    await expect(engine.run({ ...feeds(made, 4, 4), n: value('int64', [1], [9]) })).rejects.toThrow(
      /4 positions after 9 do not fit in 12|position 12 of batch 0 is outside/,
    )
    engine.release()
  })
})
