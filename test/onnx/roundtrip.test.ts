import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { OctavoError } from '../../lib/errors.js'
import type { Graph } from '../../lib/graph/graph.js'
import { printGraph } from '../../lib/graph/print.js'
import { problemsOf } from '../../lib/graph/verify.js'
import { readModel, writeModel } from '../../lib/onnx/index.js'
import { decompose } from '../../lib/ops/registry.js'
import { graph, modelBytes, node, value } from '../helpers/model.js'
import { sharedFiles } from '../helpers/shared.js'

/** Text without the names of nodes and graphs, which a nested Identity of the writer may change. */
const textOf = (g: Graph) => printGraph(g, { names: false })

async function expectRoundTrip(source: string | Uint8Array): Promise<void> {
  const model = await readModel(source)
  expect(problemsOf(model.graph)).toEqual([])
  const bytes = writeModel(model, { decompose })
  expect(Buffer.compare(bytes, writeModel(model, { decompose }))).toBe(0)
  const again = await readModel(bytes)
  expect(problemsOf(again.graph)).toEqual([])
  expect(again.graph.inputs).toEqual(model.graph.inputs)
  expect(again.graph.outputs).toEqual(model.graph.outputs)
  for (const [name, tensor] of model.graph.constants) {
    const same = again.graph.constants.get(name)
    expect(same?.dims).toEqual(tensor.dims)
    expect(Buffer.compare(same?.data ?? new Uint8Array(1), tensor.data)).toBe(0)
  }
  const third = await readModel(writeModel(again, { decompose }))
  expect(textOf(third.graph)).toBe(textOf(again.graph))
}

const models = sharedFiles('.onnx', 'models')

describe.skipIf(models.length === 0)('models read, written and read again are the same', () => {
  test.each(models.map((file) => [path.basename(file), file]))('%s', (_name, file) => expectRoundTrip(file))
})

const vectors = sharedFiles('.onnx', 'onnx-node-tests')

test.skipIf(vectors.length === 0)(`all ${vectors.length} operator tests that can be read`, async () => {
  let readable = 0
  for (const file of vectors) {
    try {
      await readModel(file)
    } catch (error) {
      expect(error).toBeInstanceOf(OctavoError)
      expect((error as OctavoError).code).toMatch(/ERR_UNSUPPORTED_OP(SET)?/)
      continue
    }
    readable++
    await expectRoundTrip(file)
  }
  expect(readable).toBeGreaterThan(0)
})

test('captures that clash with names inside are written under other names', async () => {
  const bytes = modelBytes({
    name: 'g',
    input: [value('c', [], 9), value('x', [2])],
    output: [value('y')],
    node: [
      node('Relu', ['x'], ['h'], [], 'outer'),
      node(
        'If',
        ['c'],
        ['y'],
        [
          graph('then_branch', {
            name: 't',
            node: [node('Abs', ['h'], ['x'], [], 'shadow'), node('Neg', ['x'], ['t'])],
            output: [value('t')],
          }),
          graph('else_branch', { name: 'e', output: [value('h')] }),
        ],
      ),
    ],
  })
  const model = await readModel(bytes)
  const branch = model.graph.nodes.find((n) => n.opType === 'If')
  expect(branch?.captures).toEqual(['h'])
  expect(problemsOf(model.graph)).toEqual([])
  // A pass renames the captured value to what a branch calls its own.
  const renamed: Graph = {
    ...model.graph,
    nodes: model.graph.nodes.map((n) =>
      n.opType === 'If'
        ? { ...n, captures: ['t'] }
        : { ...n, outputs: n.outputs.map((o) => (o === 'h' ? 't' : o)) },
    ),
  }
  expect(problemsOf(renamed)).toEqual([])
  const again = await readModel(writeModel({ ...model, graph: renamed }))
  expect(problemsOf(again.graph)).toEqual([])
  expect(again.graph.nodes.find((n) => n.opType === 'If')?.captures).toEqual(['t'])
})
