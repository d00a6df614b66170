/** Quant and BipolarQuant of QONNX: the nodes they become, and their levels beside the definition. */
import { describe, expect, test } from 'vitest'
import { printGraph } from '../../lib/graph/print.js'
import { explain, InferenceSession, inspect, quantize, Tensor } from '../../lib/index.js'
import { readModel } from '../../lib/onnx/index.js'
import { floatTensor, int, ints, modelBytes, node, text, value } from '../helpers/model.js'

const DOMAINS = ['qonnx.custom_op.general', 'onnx.brevitas', 'finn.custom_op.general']

interface Form {
  readonly bits: number
  readonly signed: boolean
  readonly narrow: boolean
  readonly scale: number[]
  readonly scaleDims: number[]
  readonly zero?: number
  readonly rounding?: string
  readonly domain?: string
}

const initializers = ({ scale, scaleDims, zero = 0, bits }: Form) => [
  floatTensor('s', scaleDims, scale),
  floatTensor('z', [], [zero]),
  floatTensor('b', [], [bits]),
]

const quantNode = (form: Form, x: string, y: string) =>
  node(
    'Quant',
    [x, 's', 'z', 'b'],
    [y],
    [
      int('signed', form.signed ? 1 : 0),
      int('narrow', form.narrow ? 1 : 0),
      text('rounding_mode', form.rounding ?? 'ROUND'),
    ],
    'n',
    form.domain ?? DOMAINS[0],
  )

function model(form: Form, dims: number[]): Uint8Array {
  return modelBytes({
    name: 'g',
    input: [value('x', dims)],
    output: [value('y', dims)],
    initializer: initializers(form),
    node: [quantNode(form, 'x', 'y')],
  })
}

/** qonnx.custom_op.general.quant.quant, with the zero point added after rounding. */
function reference(x: number, form: Form, scale: number): number {
  const { bits, signed, narrow, zero = 0 } = form
  const taken = narrow ? 1 : 0
  const least = signed ? -(2 ** (bits - 1)) + taken : 0
  const most = signed ? 2 ** (bits - 1) - 1 : 2 ** bits - 1 - taken
  const down = Math.floor(x / scale)
  const rest = x / scale - down
  const rounded = rest < 0.5 || (rest === 0.5 && down % 2 === 0) ? down : down + 1
  return (Math.min(most, Math.max(least, rounded + zero)) - zero) * scale
}

async function lines(bytes: Uint8Array): Promise<string[]> {
  const { graph } = await readModel(bytes)
  return printGraph(graph, { names: false })
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.trim())
}

async function run(bytes: Uint8Array, x: Float32Array, dims: number[]): Promise<Float32Array> {
  await using session = await InferenceSession.create(bytes)
  return (await session.run({ x: new Tensor('float32', x, dims) })).y?.data as Float32Array
}

const FORMS: Form[] = [
  { bits: 8, signed: true, narrow: false, scale: [0.25], scaleDims: [] },
  { bits: 8, signed: true, narrow: true, scale: [0.125], scaleDims: [1] },
  { bits: 8, signed: false, narrow: false, scale: [0.25], scaleDims: [], zero: 128 },
  { bits: 4, signed: true, narrow: false, scale: [0.5], scaleDims: [], zero: -2 },
  { bits: 4, signed: false, narrow: true, scale: [0.5], scaleDims: [] },
  { bits: 3, signed: true, narrow: true, scale: [1], scaleDims: [], domain: 'onnx.brevitas' },
  { bits: 2, signed: true, narrow: false, scale: [2], scaleDims: [], domain: 'finn.custom_op.general' },
  { bits: 1, signed: false, narrow: false, scale: [2], scaleDims: [] },
  { bits: 12, signed: true, narrow: false, scale: [0.03125], scaleDims: [] },
  { bits: 16, signed: false, narrow: false, scale: [2 ** -9], scaleDims: [], zero: 32768 },
  { bits: 24, signed: true, narrow: false, scale: [2 ** -12], scaleDims: [] },
  { bits: 8, signed: true, narrow: true, scale: [0.25, 0.5, 1], scaleDims: [1, 3, 1] },
  { bits: 5, signed: false, narrow: false, scale: [0.25, 0.5, 1], scaleDims: [3, 1], zero: 4 },
]

test.each(FORMS)('Quant of $bits bits, signed $signed, narrow $narrow, scale $scale', async (form) => {
  const dims = [2, 3, 40]
  const x = Float32Array.from({ length: 240 }, (_, i) => (i % 7 ? 40 * Math.sin(i) : ((i % 90) - 45) / 8))
  const got = await run(model(form, dims), x, dims)
  const scale = (i: number) => form.scale[Math.floor(i / 40) % form.scale.length] as number
  expect([...got]).toEqual([...x].map((v, i) => reference(v, form, scale(i))).map((v) => v + 0))
})

test('levels of fewer bits are clipped, and none of those in use are lost', async () => {
  const form: Form = { bits: 4, signed: true, narrow: true, scale: [0.5], scaleDims: [] }
  expect(await lines(model(form, [2, 3]))).toMatchInlineSnapshot(`
    [
      "s: float32[] = 0.5",
      "z: float32[] = 0",
      "b: float32[] = 4",
      "n/least: float32[] = -3.5",
      "n/most: float32[] = 3.5",
      "n/scale: float32[] = 0.5",
      "n/zero_point: int8[] = 0",
      "n/clipped = Clip(x, n/least, n/most)",
      "n/levels = QuantizeLinear(n/clipped, n/scale, n/zero_point)",
      "y = DequantizeLinear(n/levels, n/scale, n/zero_point)",
    ]
  `)
})

test('BipolarQuant gives the sign, that of 0 is plus', async () => {
  const bytes = modelBytes({
    name: 'g',
    input: [value('x', [5])],
    output: [value('y', [5])],
    initializer: [floatTensor('s', [], [0.75])],
    node: [node('BipolarQuant', ['x', 's'], ['y'], [], 'n', DOMAINS[0])],
  })
  expect(await lines(bytes)).toMatchInlineSnapshot(`
    [
      "s: float32[] = 0.75",
      "n/zero: float32[] = 0",
      "n/scale: float32[] = 0.75",
      "n/zero_point: int8[] = 0",
      "n/positive = GreaterOrEqual(x, n/zero)",
      "n/negative = Neg(s)",
      "n/signs = Where(n/positive, s, n/negative)",
      "n/levels = QuantizeLinear(n/signs, n/scale, n/zero_point)",
      "y = DequantizeLinear(n/levels, n/scale, n/zero_point)",
    ]
  `)
  expect([...(await run(bytes, Float32Array.of(-2, -0, 0, 1e-9, 3), [5]))]).toEqual([
    -0.75, 0.75, 0.75, 0.75, 0.75,
  ])
})

test.each([
  [{ rounding: 'FLOOR' }, /expected rounding_mode ROUND or HALF_EVEN, got FLOOR/],
  [{ bits: 2.5 }, /expected a bitwidth that is a whole number of at least 1, got 2.5/],
  [{ scale: [0] }, /expected scales that are finite and above 0, got 0/],
  [{ scale: [Number.NaN] }, /expected scales that are finite and above 0, got NaN/],
])('refuses %o', async (change, message) => {
  const form = { bits: 8, signed: true, narrow: false, scale: [0.5], scaleDims: [], ...change }
  const error = await run(model(form, [1]), Float32Array.of(1), [1]).catch((reason: unknown) => reason)
  expect(error).toHaveProperty('code', 'ERR_UNSUPPORTED_OP')
  expect((error as Error).message).toMatch(/Node "n" \(Quant\)/)
  expect((error as Error).message).toMatch(message)
})

/** Conv -> Relu -> Quant -> Conv with signs as weights, as Brevitas exports a network of few bits. */
function network(): Uint8Array {
  const levels = (count: number) => Array.from({ length: count }, (_, i) => Math.sin(i * 1.7) / 2)
  const quant = (x: string, y: string, s: string, b: string, signed: number, name: string) =>
    node('Quant', [x, s, 'zero', b], [y], [int('signed', signed), int('narrow', signed)], name, DOMAINS[1])
  const pads = ints('pads', [1, 1, 1, 1])
  return modelBytes({
    name: 'g',
    input: [value('x', [1, 3, 8, 8])],
    output: [value('y', undefined)],
    initializer: [
      floatTensor('zero', [], [0]),
      floatTensor('eight', [], [8]),
      floatTensor('four', [], [4]),
      floatTensor('s', [], [1 / 64]),
      floatTensor('t', [], [1 / 8]),
      floatTensor('channels', [4, 1, 1, 1], [0.1, 0.05, 0.08, 0.07]),
      floatTensor('w', [4, 3, 3, 3], levels(108)),
      floatTensor('v', [4, 4, 3, 3], levels(144)),
    ],
    node: [
      quant('x', 'xq', 's', 'eight', 1, 'input'),
      quant('w', 'wq', 'channels', 'four', 1, 'weights'),
      node('Conv', ['xq', 'wq'], ['c'], [pads], 'first'),
      node('Relu', ['c'], ['r'], [], 'relu'),
      quant('r', 'rq', 't', 'four', 0, 'activation'),
      node('BipolarQuant', ['v', 't'], ['vq'], [], 'signs', DOMAINS[0]),
      node('Conv', ['rq', 'vq'], ['y'], [pads], 'second'),
    ],
  })
}

describe('a network of Quant and BipolarQuant', () => {
  const x = Float32Array.from({ length: 192 }, (_, i) => Math.sin(i * 0.37))

  test('runs in integers', async () => {
    const { operators } = await explain(network())
    expect(operators.Conv).toMatchObject({ integer: 2, float: 0 })
  })

  test('gives what its definition gives', async () => {
    const got = await run(network(), x, [1, 3, 8, 8])
    await using session = await InferenceSession.create(network(), { graphOptimizationLevel: 'disabled' })
    const want = (await session.run({ x: new Tensor('float32', x, [1, 3, 8, 8]) })).y?.data as Float32Array
    got.forEach((v, i) => {
      expect(v).toBeCloseTo(want[i] as number, 4)
    })
  })

  test('is inspected as QDQ, and is quantized already', async () => {
    expect(JSON.stringify(await inspect(network()))).toContain('QuantizeLinear')
    const data = [{ x: new Tensor('float32', x, [1, 3, 8, 8]) }]
    await expect(quantize(network(), { data })).rejects.toHaveProperty('code', 'ERR_ALREADY_QUANTIZED')
  })
})

test('weights that a Transpose turns after they are quantized stay packed in an integer product', async () => {
  const bytes = modelBytes({
    name: 'g',
    input: [value('x', [5, 7])],
    output: [value('y', [5, 9])],
    initializer: [
      floatTensor('zero', [], [0]),
      floatTensor('eight', [], [8]),
      floatTensor('four', [], [4]),
      floatTensor('s', [], [0.03]),
      floatTensor(
        'rows',
        [9, 1],
        Array.from({ length: 9 }, (_, i) => 0.05 + 0.01 * i),
      ),
      floatTensor(
        'w',
        [9, 7],
        Array.from({ length: 63 }, (_, i) => Math.sin(i * 2.3) / 3),
      ),
    ],
    node: [
      node('Quant', ['x', 's', 'zero', 'eight'], ['xq'], [], 'input', DOMAINS[0]),
      node('Quant', ['w', 'rows', 'zero', 'four'], ['wq'], [], 'weights', DOMAINS[0]),
      node('Transpose', ['wq'], ['wt'], [ints('perm', [1, 0])], 'turn'),
      node('MatMul', ['xq', 'wt'], ['y'], [], 'product'),
    ],
  })
  expect((await explain(bytes)).operators.MatMul).toMatchObject({ integer: 1, float: 0 })
  const x = Float32Array.from({ length: 35 }, (_, i) => Math.sin(i * 1.3) * 2)
  await using session = await InferenceSession.create(bytes, { graphOptimizationLevel: 'disabled' })
  const want = (await session.run({ x: new Tensor('float32', x, [5, 7]) })).y?.data as Float32Array
  const got = await run(bytes, x, [5, 7])
  got.forEach((v, i) => {
    expect(v).toBeCloseTo(want[i] as number, 5)
  })
})
