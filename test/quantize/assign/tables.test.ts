import { describe, expect, it } from 'vitest'
import type { Graph, Node } from '../../../lib/graph/graph.js'
import { assignTables } from '../../../lib/quantize/assign/tables.js'
import type { RecipeOptions } from '../../../lib/quantize/recipe/types.js'
import { graph, node, noise } from '../graphs.js'
import { assigned, through } from '../record.js'

const GATHER = node('e = Gather(t, i)')

function embedding(nodes: readonly Node[], outputs = ['y'], rows = 256): Graph {
  const float = graph({
    inputs: { i: [1, 5], x: [1, 5, 64] },
    outputs,
    nodes,
    constants: { t: noise(rows, 64), w: noise(64, 4) },
  })
  return { ...float, types: new Map([...float.types, ['i', { dtype: 'int64', shape: [1, 5] }]]) }
}

async function tablesOf(float: Graph, options: RecipeOptions = {}): Promise<string[]> {
  const { tables } = await through(await assigned(float, options), [assignTables])
  return [...tables.keys()]
}

describe('assignTables', () => {
  it('takes large constants whose rows are picked', async () => {
    const nodes = [GATHER, node('y = MatMul(e, w)')]
    expect(await tablesOf(embedding(nodes))).toEqual(['t'])
    expect(await tablesOf(embedding(nodes, ['y'], 255))).toEqual([])
    expect(await tablesOf(embedding(nodes), { exclude: ['Gather:e'] })).toEqual([])
  })

  it('not those whose columns are picked, and not outputs', async () => {
    const columns = [node('e = Gather(t, i)', { axis: 1 }), node('y = Relu(e)')]
    expect(await tablesOf(embedding(columns))).toEqual([])
    expect(await tablesOf(embedding([GATHER, node('y = Relu(e)')], ['y', 't']))).toEqual([])
  })

  it('not those that something else reads as floats; weights of an integer product may be a table too', async () => {
    const tied = [GATHER, node('s = MatMul(x, r)'), node('r = Transpose(t)', { perm: [1, 0] })]
    expect(await tablesOf(embedding([tied[2], tied[0], tied[1]] as Node[], ['s', 'e']))).toEqual([])
    const gemm = [GATHER, node('f = Flatten(x)', { axis: 2 }), node('s = Gemm(f, t)', { transB: 1 })]
    expect(await tablesOf(embedding(gemm, ['s', 'e']))).toEqual(['t'])
  })
})
