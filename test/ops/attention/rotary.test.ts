/** RotaryEmbedding of onnxruntime and of the standard, beside its definition and beside onnxruntime where that is at hand. */
import { describe, expect, test } from 'vitest'
import { float, int } from '../../helpers/model.js'
import { Random } from '../../helpers/random.js'
import { element, rotary, splitHeads, type Tensor4, tensor4 } from './reference.js'
import { distance, type Fed, fed, hasPeer, type OneNode, runNode } from './run-node.js'

interface Case {
  readonly name: string
  readonly standard?: boolean
  readonly batch?: number
  readonly sequence: number
  readonly byHead?: boolean
  /** Of elements that turn, where those are not all. */
  readonly dim?: number
  readonly interleaved?: boolean
  /** Positions of all, or of the first. */
  readonly positions?: 'all' | 'first'
  /** The node says how many heads there are. */
  readonly states?: boolean
}

const [HEADS, SIZE, MOST] = [3, 16, 32]

const CASES: readonly Case[] = [
  { name: 'positions', batch: 2, sequence: 4, positions: 'all' },
  { name: 'positions, heads by the angles alone', batch: 2, sequence: 4, positions: 'all', states: false },
  { name: 'the first position', batch: 2, sequence: 4, positions: 'first' },
  { name: 'interleaved', batch: 2, sequence: 4, positions: 'all', interleaved: true },
  { name: 'by heads', batch: 2, sequence: 4, positions: 'all', byHead: true },
  { name: 'a part', sequence: 4, positions: 'all', dim: 8 },
  { name: 'standard', standard: true, batch: 2, sequence: 4, positions: 'all' },
  { name: 'standard, by heads', standard: true, batch: 2, sequence: 4, positions: 'all', byHead: true },
  { name: 'standard, angles of every position', standard: true, batch: 2, sequence: 4 },
  {
    name: 'standard, interleaved part',
    standard: true,
    sequence: 4,
    positions: 'all',
    dim: 8,
    interleaved: true,
  },
]

function make(c: Case) {
  const { batch = 1, sequence, standard } = c
  const half = (c.dim ?? SIZE) / 2
  const random = new Random(sequence + half)
  const numbers = (count: number) => Float32Array.from({ length: count }, () => random.uniform(-1, 1))
  const x: Fed = c.byHead
    ? fed('float32', [batch, HEADS, sequence, SIZE], numbers(batch * HEADS * sequence * SIZE), [
        'batch',
        HEADS,
        'sequence',
        SIZE,
      ])
    : fed('float32', [batch, sequence, HEADS * SIZE], numbers(batch * HEADS * sequence * SIZE), [
        'batch',
        'sequence',
        HEADS * SIZE,
      ])
  const rows = c.positions ? [MOST, half] : [batch, sequence, half]
  const angles = numbers(rows.reduce((n, d) => n * d, 1)).map((a) => a * 3)
  const [cos, sin] = [fed('float32', rows, angles.map(Math.cos)), fed('float32', rows, angles.map(Math.sin))]
  const each = Array.from({ length: batch * sequence }, () => random.integer(0, MOST - 1))
  const positions =
    c.positions === 'all'
      ? fed('int64', [batch, sequence], each, ['batch', 'sequence'])
      : c.positions && fed('int64', [1], [5])
  const attributes = [int('interleaved', c.interleaved ? 1 : 0)]
  if (c.states !== false && !(standard && c.byHead)) attributes.push(int('num_heads', HEADS))
  if (c.dim) attributes.push(int('rotary_embedding_dim', c.dim))
  const inputs = standard ? [x, cos, sin, positions] : [x, positions, cos, sin]
  if (inputs[3] === undefined) inputs.pop()
  const one: OneNode = {
    opType: 'RotaryEmbedding',
    domain: standard ? '' : 'com.microsoft',
    opset: standard ? 23 : 21,
    attributes,
    inputs,
    outputs: ['float32'],
  }
  const position = (b: number, s: number) =>
    c.positions === 'all' ? (each[b * sequence + s] as number) : c.positions ? 5 + s : b * sequence + s
  const dims: Tensor4['dims'] = [batch, HEADS, sequence, SIZE]
  const heads = c.byHead
    ? tensor4(dims, (b, h, s, i) => x.data[((b * HEADS + h) * sequence + s) * SIZE + i] as number)
    : splitHeads(x.data, dims)
  const turned = rotary(heads, position, cos.data, sin.data, half, c.interleaved ?? false)
  const want = c.byHead
    ? turned.data
    : Float64Array.from({ length: turned.data.length }, (_, at) => {
        const [i, h, row] = [at % SIZE, Math.floor(at / SIZE) % HEADS, Math.floor(at / SIZE / HEADS)]
        return element(turned, Math.floor(row / sequence), h, row % sequence, i)
      })
  return { one, want, x }
}

describe('RotaryEmbedding', () => {
  test.each(CASES)('$name', async (c) => {
    const { one, want, x } = make(c)
    const [y] = await runNode(one)
    expect(y?.dims).toEqual(x.dims)
    expect(distance(y?.data ?? [], want)).toBeLessThan(1e-6)
  })

  test('refuses what it does not know, and positions without angles', async () => {
    const { one } = make(CASES[0] as Case)
    const packed = { ...one, attributes: [...one.attributes, int('is_packed_batching', 1)] }
    await expect(runNode(packed)).rejects.toThrow(/is_packed_batching of 0/)
    const scaled = { ...one, attributes: [...one.attributes, float('scale', 2)] }
    await expect(runNode(scaled)).rejects.toThrow(/attribute scale of 1 .* got 2/)
    const beyond = fed('int64', [2, 4], [0, 0, 0, 0, 0, 0, 0, MOST])
    const inputs = one.inputs.map((x, i) => (i === 1 ? beyond : x))
    await expect(runNode({ ...one, inputs })).rejects.toThrow(
      /position 32 of batch 1 is outside of \[0, 31\]/,
    )
  })
})

describe.skipIf(!hasPeer)('onnxruntime gives the same', () => {
  test.each(CASES)('$name', async (c) => {
    const { one } = make(c)
    const [[ours], [theirs]] = [await runNode(one), await runNode(one, 'peer')]
    expect(distance(ours?.data ?? [], theirs?.data ?? [])).toBeLessThan(1e-6)
  })
})
