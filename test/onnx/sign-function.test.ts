/** Weights of two levels as bits in a file, and the function that makes floats of them. */
import { describe, expect, it } from 'vitest'
import type { ConstantTensor } from '../../lib/graph/graph.js'
import { int64s, numbersOf, tensorFromNumbers } from '../../lib/graph/tensor.js'
import { InferenceSession, Tensor } from '../../lib/index.js'
import { readModel, writeModel } from '../../lib/onnx/index.js'
import { signLevels } from '../../lib/onnx/sign-tensors.js'
import { parseGraph } from '../helpers/graph-text.js'
import { openReference, reference } from '../models/reference.js'
import { noise } from '../passes/same-answers.js'

const signs = (count: number, seed: number) => noise(count, seed).map((v) => (v < 0 ? -1 : 1))

/** Convolution with a scale for each channel, product with columns of {0, 1} and {-1, 0}, product with one scale. */
const graph = parseGraph(`
  graph g (x: float32[2, 5, 4, 4]) -> (y: float32[2, 3])
    w: int8[9, 5, 3, 3] = ${signs(9 * 45, 1).join(' ')}
    ws: float32[9] = 0.5 1 2 0.25 0.3 0.7 1.5 3 0.1
    v: int8[36, 11] = ${signs(36 * 11, 2).join(' ')}
    vs: float32[11] = 0.5 0.5 0.25 1 1 1 0.3 0.3 0.3 2 2
    vz: int8[11] = -1 1 0 -1 1 0 -1 1 0 -1 1
    u: int8[11, 3] = ${signs(33, 3).join(' ')}
    us: float32[] = 0.75
    wd = DequantizeLinear(w, ws) {axis=0}
    vd = DequantizeLinear(v, vs, vz) {axis=1}
    ud = DequantizeLinear(u, us)
    c = Conv(x, wd)
    f = Flatten(c)
    m = MatMul(f, vd)
    y = MatMul(m, ud)
`)

const model = { graph, opset: 21, irVersion: 10, producer: '', metadata: {} }
const bits = writeModel(model, { signsAsBits: true })
const bytes = writeModel(model)
const x = Float32Array.from(noise(160, 4))

async function answers(file: Uint8Array): Promise<Float32Array> {
  const session = await InferenceSession.create(file)
  const { y } = await session.run({ x: new Tensor('float32', x, [2, 5, 4, 4]) })
  await session.release()
  return y?.data as Float32Array
}

/** The file with other bytes in the place of some, all of one length. */
function changed(from: string, to: string): Uint8Array {
  const text = Buffer.from(bits).toString('latin1')
  expect(text).toContain(from)
  return Buffer.from(text.replaceAll(from, to), 'latin1')
}

const constantsOf = async (file: Uint8Array) => {
  const { graph: read } = await readModel(file)
  return read.nodes
    .filter(({ opType }) => opType === 'DequantizeLinear')
    .map(({ inputs, attributes }) => ({
      axis: attributes.axis,
      values: inputs.map((name) => [...numbersOf(read.constants.get(name) as ConstantTensor)]),
      dims: read.constants.get(inputs[0] as string)?.dims,
    }))
}

describe('weights of two levels', () => {
  it('are a bit each, each row or column in bytes of its own', async () => {
    const { graph: read } = await readModel(bits)
    const size = (name: string) => read.constants.get(name)?.data.length
    expect([size('w_bits'), size('v_bits'), size('u_bits')]).toEqual([9 * 6, 11 * 5, 11 * 1])
    expect(read.constants.has('w')).toBe(false)
  })

  it('are read as the levels that they were', async () => {
    const [w, v, u] = await constantsOf(bits)
    const values = (name: string) => [...numbersOf(graph.constants.get(name) as ConstantTensor)]
    expect(w?.dims).toEqual([9, 5, 3, 3])
    expect(w?.values).toEqual([values('w'), values('ws'), Array(9).fill(0)])
    expect(w?.axis).toEqual({ kind: 'int', value: 0 })
    expect(v?.dims).toEqual([36, 11])
    expect(v?.values).toEqual([values('v'), values('vs'), values('vz')])
    expect(v?.axis).toEqual({ kind: 'int', value: 1 })
    expect(u?.values).toEqual([values('u'), values('us'), [0]])
  })

  it('give the answers of the file with bytes', async () => {
    expect(await answers(bits)).toEqual(await answers(bytes))
  })

  it('are written out where a file has other nodes by that name', async () => {
    const other = changed('is_high', 'is_kept')
    const { graph: read } = await readModel(other)
    expect(read.nodes.filter(({ opType }) => opType === 'BitShift').length).toBe(3)
    // Products of levels would take activations in blocks of int8, those of floats do not.
    const exact = writeModel(model, { metadata: { 'octavo.block_activations': 'float' } })
    const [got, want] = [await answers(other), await answers(exact)]
    const largest = Math.max(...want.map(Math.abs))
    got.forEach((v, i) => void expect(Math.abs(v - (want[i] as number))).toBeLessThan(1e-5 * largest))
  })

  it('stay bytes where they have other levels, blocks, or rows along an inner axis', () => {
    const text = `
      graph g (x: float32[2, 4]) -> (y: ?, z: ?)
        w: int8[4, 2] = 1 -1 1 1 1 -1 0 1
        s: float32[] = 0.5
        v: int8[2, 4, 2] = 1 ...
        vs: float32[4] = 1 2 3 4
        d = DequantizeLinear(w, s)
        y = MatMul(x, d)
        z = DequantizeLinear(v, vs) {axis=1}
    `
    const plain = { ...model, graph: parseGraph(text) }
    expect(writeModel(plain, { signsAsBits: true })).toEqual(writeModel(plain))
  })
})

describe('tensors of a call', () => {
  const call = (low: number[], high: number[], sizes: number[], dims = [2, 1]) => [
    tensorFromNumbers('uint8', dims, [5, 3]),
    tensorFromNumbers('float32', [low.length, 1], low),
    tensorFromNumbers('float32', [high.length, 1], high),
    int64s(sizes),
  ]

  it('may have the lesser number for set bits', () => {
    const read = signLevels('rows', call([1, -3], [-1, 3], [2, 3]))
    expect([...numbersOf(read?.levels as ConstantTensor)]).toEqual([-1, 1, -1, 1, 1, -1])
    expect([...numbersOf(read?.scale as ConstantTensor)]).toEqual([1, 3])
  })

  it.each([
    ['numbers that are not opposite, nor one of them 0', call([1], [2], [2, 3])],
    ['equal numbers', call([1], [1], [2, 3])],
    ['an infinite number', call([-Infinity], [Infinity], [2, 3])],
    ['more rows than bits', call([-1], [1], [3, 3])],
    ['more bytes than sizes', call([-1], [1], [2, 9])],
    ['no sizes', call([-1], [1], [])],
    ['another number of rows', call([-1, -1, -1], [1, 1, 1], [2, 3])],
  ])('are left to the function: %s', (_, inputs) => {
    expect(signLevels('rows', inputs)).toBeUndefined()
  })
})

it.skipIf(reference === undefined)('onnxruntime makes floats of them', async () => {
  const session = await openReference(bits)
  const { y } = await session.run({ x: { type: 'float32', data: x, dims: [2, 5, 4, 4] } })
  await session.release()
  const want = await answers(changed('is_high', 'is_kept'))
  const largest = Math.max(...want.map(Math.abs))
  want.forEach((v, i) => void expect(Math.abs((y?.data[i] as number) - v)).toBeLessThan(1e-5 * largest))
})
