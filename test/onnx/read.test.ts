import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { symbol } from '../../lib/graph/expr.js'
import { numbersOf } from '../../lib/graph/tensor.js'
import { readModel } from '../../lib/onnx/index.js'
import { FLOAT, floatTensor, graph, int, modelBytes, node, value } from '../helpers/model.js'

const x = value('x', [2])
const y = value('y', [2])

describe('reading', () => {
  test('takes initializers listed as inputs, and Constant nodes, as constants', async () => {
    const { graph: g } = await readModel(
      modelBytes({
        name: 'g',
        input: [x, value('w', [1])],
        output: [y],
        initializer: [floatTensor('w', [1], [3])],
        node: [
          node('Add', ['x', 'w'], ['a']),
          node('Constant', [], ['k'], [{ name: 'value_floats', type: 6, floats: [1, 2] }]),
          node('Add', ['a', 'k'], ['y']),
        ],
      }),
    )
    expect(g.inputs).toEqual(['x'])
    expect([...g.constants.keys()]).toEqual(['w', 'k'])
    expect(g.nodes.map((n) => n.name)).toEqual(['Add_0', 'Add_2'])
  })

  test('sorts nodes and makes names unique', async () => {
    const { graph: g } = await readModel(
      modelBytes({
        name: 'g',
        input: [x],
        output: [y],
        node: [
          node('Neg', ['b'], ['y'], [], 'n'),
          node('Abs', ['a'], ['b'], [], 'n'),
          node('Relu', ['x'], ['a'], [], 'n'),
        ],
      }),
    )
    expect(g.nodes.map((n) => n.opType)).toEqual(['Relu', 'Abs', 'Neg'])
    expect(new Set(g.nodes.map((n) => n.name)).size).toBe(3)
  })

  test('names the sizes that a file leaves open', async () => {
    const open = value('x', ['', '?'])
    const { graph: g } = await readModel(
      modelBytes({ name: 'g', input: [open], output: [y], node: [node('Relu', ['x'], ['y'])] }),
    )
    expect(g.types.get('x')?.shape).toEqual([symbol('x_dim0'), symbol('x_dim1')])
  })

  test('writes functions out, with attributes passed and defaults', async () => {
    const ref = { name: 'axis', refAttrName: 'over', type: 2 } as const
    const { graph: g } = await readModel(
      modelBytes(
        {
          name: 'g',
          input: [x],
          output: [y],
          node: [
            node('F', ['x'], ['m'], [int('over', 0)], 'one', 'f'),
            node('F', ['m'], ['y'], [], 'two', 'f'),
          ],
        },
        21,
        {
          functions: [
            {
              domain: 'f',
              name: 'F',
              input: ['a'],
              output: ['b'],
              attributeProto: [int('over', -1)],
              opsetImport: [{ domain: '', version: 21n }],
              node: [node('Softmax', ['a'], ['t'], [ref], 's'), node('Relu', ['t'], ['b'], [], 'r')],
            },
          ],
        },
      ),
    )
    expect(g.nodes.map((n) => [n.name, n.inputs[0], n.outputs[0]])).toEqual([
      ['one/s', 'x', 'one/t'],
      ['one/r', 'one/t', 'm'],
      ['two/s', 'm', 'two/t'],
      ['two/r', 'two/t', 'y'],
    ])
    expect(g.nodes[0]?.attributes.axis).toEqual({ kind: 'int', value: 0 })
    expect(g.nodes[2]?.attributes.axis).toEqual({ kind: 'int', value: -1 })
  })

  test('lists captures in the same order for every graph of a node; constants come along', async () => {
    const { graph: g } = await readModel(
      modelBytes({
        name: 'g',
        input: [value('c', [], 9), value('p', [2]), value('q', [2])],
        output: [y],
        initializer: [floatTensor('w', [1], [3])],
        node: [
          node(
            'If',
            ['c'],
            ['y'],
            [
              graph('then_branch', {
                name: 't',
                node: [node('Add', ['p', 'w'], ['t'])],
                output: [value('t')],
              }),
              graph('else_branch', { name: 'e', node: [node('Neg', ['q'], ['e'])], output: [value('e')] }),
            ],
          ),
        ],
      }),
    )
    const [branch] = g.nodes
    const [then, other] = ['then_branch', 'else_branch'].map((name) => {
      const attribute = branch?.attributes[name]
      return attribute?.kind === 'graph' ? attribute.value : undefined
    })
    expect(branch?.captures).toEqual(['p', 'q'])
    expect([then?.captures, other?.captures]).toEqual([branch?.captures, branch?.captures])
    expect([...(then?.constants.keys() ?? [])]).toEqual(['w'])
  })

  test('takes linear time for a long chain in the wrong order', async () => {
    const count = 100_000
    const nodes = Array.from({ length: count }, (_, i) =>
      node('Relu', [i === 0 ? 'x' : `v${i - 1}`], [i === count - 1 ? 'y' : `v${i}`]),
    )
    const bytes = modelBytes({ name: 'g', input: [x], output: [y], node: nodes.reverse() })
    const { graph: g } = await readModel(bytes)
    expect(g.nodes.length).toBe(count)
    expect(g.nodes[0]?.inputs).toEqual(['x'])
  }, 20_000)

  test('stops when told to', async () => {
    const bytes = modelBytes({ name: 'g', input: [x], output: [y], node: [node('Relu', ['x'], ['y'])] })
    await expect(readModel(bytes, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
      'enough',
    )
  })
})

describe('external data', () => {
  let folder = ''
  let model = ''
  const data = new Uint8Array(Float32Array.of(9, 1, 2, 9).buffer)

  beforeAll(() => {
    const base = mkdtempSync(path.join(tmpdir(), 'octavo-'))
    folder = path.join(base, 'model')
    mkdirSync(folder)
    model = path.join(folder, 'model.onnx')
    writeFileSync(path.join(folder, 'w.bin'), data)
    writeFileSync(path.join(base, 'secret.bin'), data)
    symlinkSync('../secret.bin', path.join(folder, 'link.bin'))
    linkSync(path.join(base, 'secret.bin'), path.join(folder, 'hard.bin'))
    mkdirSync(path.join(folder, 'sub'))
  })

  afterAll(() => rmSync(path.dirname(folder), { recursive: true }))

  function write(location: string, offset = '4', length: string | undefined = '8'): Uint8Array {
    const entries = { location, offset, ...(length === undefined ? {} : { length }) }
    const externalData = Object.entries(entries).map(([key, value]) => ({ key, value }))
    const bytes = modelBytes({
      name: 'g',
      input: [x],
      output: [y],
      node: [node('Add', ['x', 'w'], ['y'])],
      initializer: [{ name: 'w', dataType: FLOAT, dims: [2n], dataLocation: 1, externalData }],
    })
    writeFileSync(model, bytes)
    return bytes
  }

  const weights = async (source: string | Uint8Array, given?: { path: string; data: Uint8Array }[]) => {
    const w = (await readModel(source, { externalData: given })).graph.constants.get('w')
    return w && [...numbersOf(w)]
  }

  test('is read from the folder of the model, or as given', async () => {
    const bytes = write('w.bin')
    expect(await weights(model)).toEqual([1, 2])
    expect(await weights(bytes, [{ path: './w.bin', data }])).toEqual([1, 2])
  })

  test.each([
    ['missing', 'none.bin', '0', '8', /cannot find/],
    ['short', 'w.bin', '12', '8', /expected bytes 12 to 20 of "w.bin", which has 16/],
    ['outside', '../secret.bin', '4', '8', /inside the model's folder/],
    ['absolute', '/etc/hostname', '0', '8', /inside the model's folder/],
    ['a link to outside', 'link.bin', '4', '8', /inside the model's folder/],
    ['a hard link', 'hard.bin', '4', '8', /hard link/],
    ['a folder', 'sub', '0', '8', /not a regular file/],
    ['of another size', 'w.bin', '0', '4', /has 8 bytes, its length says 4/],
    ['at no offset', 'w.bin', '-1', '8', /whole number, got "-1"/],
  ])('that is %s is refused', async (_what, location, offset, length, message) => {
    write(location, offset, length)
    await expect(weights(model)).rejects.toMatchObject({
      code: 'ERR_EXTERNAL_DATA',
      message: expect.stringMatching(message),
    })
  })
})
