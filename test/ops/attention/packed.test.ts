/** Attention of onnxruntime beside its definition, and beside onnxruntime where that is at hand. */
import { describe, expect, test } from 'vitest'
import { float, int, ints } from '../../helpers/model.js'
import { Random } from '../../helpers/random.js'
import { attend, element, type Tensor4, tensor4 } from './reference.js'
import { distance, type Fed, fed, hasPeer, type OneNode, runNode } from './run-node.js'

interface Case {
  readonly name: string
  readonly batch?: number
  readonly valueSize?: number
  readonly sequence: number
  readonly past?: number
  readonly bias?: false
  readonly mask?: 'lengths' | 'keys' | 'all'
  readonly added?: boolean
  readonly causal?: boolean
  readonly scale?: number
  readonly ownOnly?: boolean
}

const [HEADS, SIZE, HIDDEN] = [2, 8, 12]

const CASES: readonly Case[] = [
  { name: 'one product', sequence: 5 },
  // onnxruntime 1.30 ends the process.
  { name: 'no bias', sequence: 5, bias: false, ownOnly: true },
  { name: 'values of another size', sequence: 5, valueSize: 4 },
  { name: 'a mask of keys', batch: 2, sequence: 5, mask: 'keys' },
  { name: 'lengths', batch: 2, sequence: 5, mask: 'lengths' },
  { name: 'a mask of queries and keys', batch: 2, sequence: 5, mask: 'all' },
  { name: 'a bias of scores and a mask', batch: 2, sequence: 5, mask: 'keys', added: true },
  { name: 'causal', sequence: 11, causal: true, scale: 0.4 },
  { name: 'a past', batch: 2, sequence: 1, past: 4, causal: true },
  { name: 'a past of length 0', sequence: 3, past: 0, causal: true },
  { name: 'a past and a mask', batch: 2, sequence: 2, past: 3, mask: 'keys', causal: true },
]

function make(c: Case) {
  const { batch = 1, sequence, valueSize = SIZE, past = 0 } = c
  const random = new Random(sequence + past)
  const some = (dims: readonly number[], symbols?: Fed['symbols']) =>
    fed(
      'float32',
      dims,
      Float32Array.from({ length: dims.reduce((n, d) => n * d, 1) }, () => random.uniform(-1, 1)),
      symbols,
    )
  const columns = HEADS * (2 * SIZE + valueSize)
  const x = some([batch, sequence, HIDDEN], ['batch', 'sequence', HIDDEN])
  const weights = some([HIDDEN, columns])
  const bias = some([columns])
  const total = past + sequence
  const before = some([2, batch, HEADS, past, SIZE], [2, 'batch', HEADS, 'past', SIZE])
  const added = some([batch, HEADS, sequence, total])
  const maskDims =
    c.mask === 'lengths' ? [batch] : c.mask === 'keys' ? [batch, total] : [batch, sequence, total]
  const mask = fed(
    'int32',
    maskDims,
    c.mask === 'lengths'
      ? Array.from({ length: batch }, (_, b) => total - b - 1)
      : Array.from({ length: maskDims.reduce((n, d) => n * d, 1) }, (_, i) =>
          i % total === 0 || random.chance(0.6) ? 1 : 0,
        ),
  )
  const inputs: (Fed | undefined)[] = [
    x,
    weights,
    c.bias === false ? undefined : bias,
    c.mask ? mask : undefined,
    c.past === undefined ? undefined : before,
    c.added ? added : undefined,
  ]
  while (inputs[inputs.length - 1] === undefined) inputs.pop()
  const attributes = [int('num_heads', HEADS), int('unidirectional', c.causal ? 1 : 0)]
  if (c.scale) attributes.push(float('scale', c.scale))
  if (c.valueSize)
    attributes.push(ints('qkv_hidden_sizes', [HEADS * SIZE, HEADS * SIZE, HEADS * c.valueSize]))
  const outputs: OneNode['outputs'] = c.past === undefined ? ['float32'] : ['float32', 'float32']
  const one: OneNode = { opType: 'Attention', attributes, inputs, outputs }

  const part = (which: number): Tensor4 =>
    tensor4([batch, HEADS, sequence, which === 2 ? valueSize : SIZE], (b, h, s, i) => {
      const column = which * HEADS * SIZE + h * (which === 2 ? valueSize : SIZE) + i
      let sum = c.bias === false ? 0 : (bias.data[column] as number)
      for (let n = 0; n < HIDDEN; n++) {
        sum +=
          (x.data[(b * sequence + s) * HIDDEN + n] as number) * (weights.data[n * columns + column] as number)
      }
      return sum
    })
  const joined = (side: number) => {
    const own = part(side + 1)
    return tensor4([batch, HEADS, total, own.dims[3]], (b, h, s, i) =>
      s < past
        ? (before.data[(((side * batch + b) * HEADS + h) * past + s) * SIZE + i] as number)
        : element(own, b, h, s - past, i),
    )
  }
  const [keys, values] = [joined(0), joined(1)]
  const shown = (b: number, s: number, j: number) => {
    if (c.mask === 'lengths') return j < (mask.data[b] as number)
    return mask.data[c.mask === 'keys' ? b * total + j : (b * sequence + s) * total + j] !== 0
  }
  const y = attend(part(0), keys, values, {
    scale: c.scale ?? 1 / Math.sqrt(SIZE),
    bias: (b, h, s, j) => {
      if (c.causal && j > past + s) return Number.NEGATIVE_INFINITY
      const filter = c.mask && !shown(b, s, j) ? -10000 : 0
      return filter + (c.added ? (added.data[((b * HEADS + h) * sequence + s) * total + j] as number) : 0)
    },
  })
  return { one, y, keys, values }
}

describe('Attention', () => {
  test.each(CASES)('$name', async (c) => {
    const { one, y, keys, values } = make(c)
    const [got, present] = await runNode(one)
    expect(distance(got?.data ?? [], y)).toBeLessThan(1e-5)
    if (c.past === undefined) return
    expect(present?.dims).toEqual([2, ...keys.dims])
    expect(distance(present?.data ?? [], [...keys.data, ...values.data])).toBeLessThan(1e-5)
  })

  test('refuses what it does not have', async () => {
    const { one } = make(CASES[0] as Case)
    const change = (attribute: ReturnType<typeof int>) =>
      runNode({
        ...one,
        attributes: [...one.attributes.filter(({ name }) => name !== attribute.name), attribute],
      })
    await expect(change(int('num_heads', 3))).rejects.toThrow(/48 columns that are q, k and v of 3 heads/)
    await expect(change(int('do_rotary', 1))).rejects.toThrow(/attribute do_rotary of 0/)
    await expect(change(ints('qkv_hidden_sizes', [16, 8, 24]))).rejects.toThrow(/got sizes 16, 8, 24/)
  })
})

describe.skipIf(!hasPeer)('onnxruntime gives the same', () => {
  test.each(CASES.filter(({ ownOnly }) => !ownOnly))('$name', async (c) => {
    const { one } = make(c)
    const [ours, theirs] = [await runNode(one), await runNode(one, 'peer')]
    ours.forEach((made, i) => {
      expect(made?.dims).toEqual(theirs[i]?.dims)
      expect(distance(made?.data ?? [], theirs[i]?.data ?? [])).toBeLessThan(1e-5)
    })
  })
})
