import { describe, expect, test } from 'vitest'
import { OctavoError } from '../../lib/errors.js'
import { readModel } from '../../lib/onnx/index.js'
import {
  FLOAT,
  floatTensor,
  type GraphInit,
  graph,
  INT64,
  int,
  modelBytes,
  node,
  text,
  value,
} from '../helpers/model.js'

const x = value('x', [2])
const y = value('y', [2])
const relu = node('Relu', ['x'], ['y'], [], 'act')

function bytesOf(parts: GraphInit, opset = 21): Uint8Array {
  return modelBytes({ name: 'g', input: [x], output: [y], ...parts } as GraphInit, opset)
}

const good = bytesOf({ node: [relu] })

function withTensor(tensor: object): Uint8Array {
  return bytesOf({
    node: [node('Add', ['x', 'w'], ['y'], [], 'sum')],
    initializer: [{ name: 'w', dataType: FLOAT, ...tensor }],
  })
}

/** What is wrong, the bytes, the code, what the message must say. */
const CASES: readonly (readonly [string, Uint8Array, string, RegExp])[] = [
  ['an empty file', new Uint8Array(0), 'ERR_MODEL_PARSE', /protobuf parsing failed\..*empty/],
  ['text', new TextEncoder().encode('this is not a model\n'), 'ERR_MODEL_PARSE', /protobuf parsing failed\./],
  ['zeros', new Uint8Array(64), 'ERR_MODEL_PARSE', /protobuf parsing failed\./],
  ['no graph', modelBytes(undefined as unknown as GraphInit), 'ERR_MODEL_PARSE', /no graph/],
  ['opset 0', bytesOf({ node: [relu] }, 0), 'ERR_UNSUPPORTED_OPSET', /opset 1 to 27.*has 0/],
  ['opset 28', bytesOf({ node: [relu] }, 28), 'ERR_UNSUPPORTED_OPSET', /opset 1 to 27.*has 28/],
  ['opset -1', bytesOf({ node: [relu] }, -1), 'ERR_UNSUPPORTED_OPSET', /has -1/],
  [
    'no opset',
    modelBytes({ name: 'g', input: [x], output: [y], node: [relu] }, 21, { opsetImport: [] }),
    'ERR_UNSUPPORTED_OPSET',
    /"act" \(Relu\).*imports no opset/,
  ],
  [
    'a cycle',
    bytesOf({
      node: [
        node('Add', ['x', 'b'], ['a'], [], 'first'),
        node('Relu', ['a'], ['b'], [], 'second'),
        node('Relu', ['b'], ['y']),
      ],
    }),
    'ERR_MODEL_INVALID',
    /cycle: node "second" \(Relu\) reads "a".*"first", "second"/,
  ],
  [
    'a node that reads itself',
    bytesOf({ node: [node('Add', ['x', 'y'], ['y'], [], 'self')] }),
    'ERR_MODEL_INVALID',
    /cycle.*"self"/,
  ],
  [
    'a dangling input',
    bytesOf({ node: [node('Add', ['x', 'gone'], ['y'], [], 'sum')] }),
    'ERR_MODEL_INVALID',
    /"sum" \(Add\) reads "gone"/,
  ],
  [
    'a dangling output',
    bytesOf({ node: [node('Relu', ['x'], ['z'])] }),
    'ERR_MODEL_INVALID',
    /Output "y".*produced by nothing/,
  ],
  [
    'a value produced twice',
    bytesOf({ node: [relu, node('Abs', ['x'], ['y'], [], 'other')] }),
    'ERR_MODEL_INVALID',
    /"y" is defined twice: by node "act" \(Relu\) and by node "other"/,
  ],
  [
    'a node that produces an input',
    bytesOf({ node: [node('Relu', ['x'], ['x'], [], 'act'), node('Abs', ['x'], ['y'])] }),
    'ERR_MODEL_INVALID',
    /"x" is defined twice/,
  ],
  [
    'an initializer twice',
    bytesOf({ node: [relu], initializer: [floatTensor('w', [1], [1]), floatTensor('w', [1], [2])] }),
    'ERR_MODEL_INVALID',
    /"w" is defined twice/,
  ],
  [
    'an initializer that a node produces',
    bytesOf({ node: [relu], initializer: [floatTensor('y', [2], [1, 2])] }),
    'ERR_MODEL_INVALID',
    /"y" is defined twice/,
  ],
  [
    'an input twice',
    modelBytes({ name: 'g', input: [x, x], output: [y], node: [relu] }),
    'ERR_MODEL_INVALID',
    /Input "x".*twice/,
  ],
  [
    'an output twice',
    modelBytes({ name: 'g', input: [x], output: [y, y], node: [relu] }),
    'ERR_MODEL_INVALID',
    /Output "y".*twice/,
  ],
  [
    'an input without type',
    modelBytes({ name: 'g', input: [{ name: 'x' }], output: [y], node: [relu] }),
    'ERR_MODEL_INVALID',
    /Input "x".*type of a tensor/,
  ],
  [
    'an input of an unknown type',
    modelBytes({ name: 'g', input: [value('x', [2], 14)], output: [y], node: [relu] }),
    'ERR_UNSUPPORTED_OP',
    /COMPLEX64/,
  ],
  [
    'a negative size of an input',
    modelBytes({ name: 'g', input: [value('x', [-2])], output: [y], node: [relu] }),
    'ERR_MODEL_INVALID',
    /"x".*axis 0.*-2/,
  ],
  [
    'a node without operator',
    bytesOf({ node: [node('', ['x'], ['y'], [], 'nothing')] }),
    'ERR_MODEL_INVALID',
    /"nothing" has no operator/,
  ],
  [
    'an attribute twice',
    bytesOf({ node: [node('Softmax', ['x'], ['y'], [int('axis', 0), int('axis', 1)], 'soft')] }),
    'ERR_MODEL_INVALID',
    /"soft".*"axis" twice/,
  ],
  [
    'raw_data that is short',
    withTensor({ dims: [2n], rawData: new Uint8Array(7) }),
    'ERR_MODEL_INVALID',
    /"w".*\[2\] has 8 bytes, its data has 7/,
  ],
  [
    'raw_data that is long',
    withTensor({ dims: [2n], rawData: new Uint8Array(12) }),
    'ERR_MODEL_INVALID',
    /8 bytes, its data has 12/,
  ],
  [
    'float_data that is short',
    withTensor({ dims: [3n], floatData: [1, 2] }),
    'ERR_MODEL_INVALID',
    /3 entries of data, the file has 2/,
  ],
  [
    'data in the wrong field',
    withTensor({ dims: [1n], int64Data: [1n] }),
    'ERR_MODEL_INVALID',
    /1 entries of data, the file has 0/,
  ],
  [
    'a negative size',
    withTensor({ dims: [-1n], rawData: new Uint8Array(4) }),
    'ERR_MODEL_INVALID',
    /"w".*at least 0.*\[-1\]/,
  ],
  [
    'sizes that overflow',
    withTensor({ dims: [2n ** 40n, 2n ** 40n], rawData: new Uint8Array(4) }),
    'ERR_MODEL_INVALID',
    /overflows/,
  ],
  [
    'sizes that overflow to 0',
    withTensor({ dims: [2n ** 32n, 2n ** 32n] }),
    'ERR_MODEL_INVALID',
    /overflows/,
  ],
  [
    'a huge size',
    withTensor({ dims: [2n ** 40n], rawData: new Uint8Array(4) }),
    'ERR_MODEL_INVALID',
    /its data has 4/,
  ],
  [
    'an element type that is none',
    withTensor({ dims: [1n], dataType: 99 }),
    'ERR_MODEL_INVALID',
    /element type, got number 99/,
  ],
  [
    'an element type not supported',
    withTensor({ dims: [1n], dataType: 17, rawData: new Uint8Array(1) }),
    'ERR_UNSUPPORTED_OP',
    /FLOAT8E4M3FN/,
  ],
  [
    'a sparse initializer',
    bytesOf({ node: [relu], sparseInitializer: [{ values: floatTensor('s', [1], [1]), dims: [4n] }] }),
    'ERR_UNSUPPORTED_OP',
    /"s".*sparse/,
  ],
  [
    'a Constant without value',
    bytesOf({ node: [node('Constant', [], ['c'], [], 'k'), node('Add', ['x', 'c'], ['y'])] }),
    'ERR_MODEL_INVALID',
    /Constant node "k".*got none/,
  ],
  [
    'external data with bytes only',
    withTensor({ dims: [1n], dataLocation: 1, externalData: [{ key: 'location', value: 'w.bin' }] }),
    'ERR_EXTERNAL_DATA',
    /"w".*given as bytes.*externalData/,
  ],
  [
    'a dangling value in a graph of a node',
    bytesOf({
      node: [
        node(
          'If',
          ['c'],
          ['y'],
          [
            graph('then_branch', {
              name: 't',
              node: [node('Relu', ['gone'], ['t'], [], 'inner')],
              output: [value('t')],
            }),
            graph('else_branch', { name: 'e', node: [node('Relu', ['x'], ['e'])], output: [value('e')] }),
          ],
        ),
      ],
      initializer: [{ name: 'c', dataType: 9, rawData: new Uint8Array(1) }],
    }),
    'ERR_MODEL_INVALID',
    /"inner" \(Relu\) reads "gone"/,
  ],
  [
    'slice of opset 9 without bounds',
    bytesOf({ node: [node('Slice', ['x'], ['y'], [], 'cut')] }, 9),
    'ERR_UNSUPPORTED_OP',
    /"cut" \(Slice\)/,
  ],
  [
    'an attribute of the wrong kind',
    bytesOf({ node: [node('Slice', ['x'], ['y'], [text('starts', 'a')], 'cut')] }, 9),
    'ERR_MODEL_INVALID',
    /"cut"/,
  ],
]

describe('a malformed model', () => {
  test.each(CASES)('%s', async (_what, bytes, code, message) => {
    const error = await readModel(bytes).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(OctavoError)
    expect((error as OctavoError).message).toMatch(message)
    expect((error as OctavoError).code).toBe(code)
  })

  test('cut anywhere gives an error of ours or a smaller model', async () => {
    for (let length = 0; length < good.length; length++) {
      const result = await readModel(good.subarray(0, length)).catch((e: unknown) => e)
      if (result instanceof Error) expect(result).toBeInstanceOf(OctavoError)
    }
  })

  test('with any byte changed gives an error of ours or a model', async () => {
    for (let at = 0; at < good.length; at++) {
      for (const bits of [0x01, 0x08, 0x80, 0xff]) {
        const bytes = good.slice()
        bytes[at] = (bytes[at] ?? 0) ^ bits
        const result = await readModel(bytes).catch((e: unknown) => e)
        if (result instanceof Error) expect(result).toBeInstanceOf(OctavoError)
      }
    }
  })

  test('of nested graphs without end stops at a limit', async () => {
    let inner: NonNullable<Parameters<typeof graph>[1]> = {
      name: 'leaf',
      node: [node('Relu', ['x'], ['r'])],
      output: [value('r')],
    }
    for (let i = 0; i < 40; i++) {
      const branch = node(
        'If',
        ['c'],
        [`o${i}`],
        [graph('then_branch', inner), graph('else_branch', { name: 'e', output: [value('x')] })],
      )
      inner = { name: `g${i}`, node: [branch], output: [value(`o${i}`)] }
    }
    const bytes = modelBytes({
      ...inner,
      input: [x, value('c', [], 9)],
      output: [value('o39')],
    } as GraphInit)
    await expect(readModel(bytes)).rejects.toMatchObject({
      code: expect.stringMatching(/ERR_LIMIT|ERR_MODEL_PARSE/),
    })
  })

  test('of functions that double without end stops at a limit', async () => {
    const functions = Array.from({ length: 30 }, (_, i) => ({
      domain: 'f',
      name: `F${i}`,
      input: ['a'],
      output: ['b'],
      opsetImport: [{ domain: '', version: 21n }],
      node:
        i === 0
          ? [node('Relu', ['a'], ['b'])]
          : [node(`F${i - 1}`, ['a'], ['t'], [], '', 'f'), node(`F${i - 1}`, ['t'], ['b'], [], '', 'f')],
    }))
    const bytes = modelBytes(
      { name: 'g', input: [x], output: [y], node: [node('F29', ['x'], ['y'], [], '', 'f')] },
      21,
      { functions },
    )
    await expect(readModel(bytes, { limits: { nodes: 10_000 } })).rejects.toMatchObject({ code: 'ERR_LIMIT' })
    const loop = [{ ...functions[0], node: [node('F0', ['a'], ['b'], [], '', 'f')] }]
    const endless = modelBytes(
      { name: 'g', input: [x], output: [y], node: [node('F0', ['x'], ['y'], [], '', 'f')] },
      21,
      { functions: loop },
    )
    await expect(readModel(endless)).rejects.toMatchObject({ code: 'ERR_LIMIT' })
  })

  test('given as something else is an argument error', async () => {
    await expect(readModel(5 as unknown as string)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARG_TYPE',
      name: 'TypeError',
    })
  })
})

describe('a path', () => {
  test.each([
    ['a missing file', '/nonexistent/model.onnx', /failed: File doesn't exist/],
    ['a folder', '.', /expected a regular file/],
  ])('%s', async (_what, path, message) => {
    await expect(readModel(path)).rejects.toMatchObject({
      code: 'ERR_IO',
      message: expect.stringMatching(message),
    })
  })
})

test('an int64 scalar stays exact', async () => {
  const huge = 2n ** 62n + 1n
  const bytes = bytesOf({
    node: [relu, node('Constant', [], ['k'], [{ name: 'value_int', type: 2, i: huge }])],
    output: [y, value('k', [], INT64)],
  })
  const model = await readModel(bytes)
  expect(
    new BigInt64Array((model.graph.constants.get('k')?.data ?? new Uint8Array(8)).slice().buffer)[0],
  ).toBe(huge)
})
