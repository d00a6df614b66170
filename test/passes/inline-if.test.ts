import { describe, expect, it } from 'vitest'
import type { Graph, Node } from '../../lib/graph/graph.js'
import { printGraph } from '../../lib/graph/print.js'
import { problemsOf } from '../../lib/graph/verify.js'
import { inlineIf } from '../../lib/passes/inline-if.js'
import { constant, f32, node, owned } from '../ops/graphs.js'

const context = {
  evaluate: async () => {
    throw new Error('nothing to compute')
  },
}

/** The branch: what it captures is `a` inside, whatever the node calls it. */
const branch = (name: string, nodes: Node[], output: string): Graph => ({
  name,
  inputs: [],
  outputs: [output],
  nodes,
  constants: new Map([['b', constant([2], [], 'float32')]]),
  types: new Map(),
  captures: ['a'],
})

const graph = (condition: number, then: Graph): Graph => ({
  name: 'g',
  inputs: ['x'],
  outputs: ['z'],
  nodes: [
    node('Relu', ['x'], ['b']),
    node(
      'If',
      ['c'],
      ['y'],
      { then_branch: owned(then), else_branch: owned(branch('else', [node('Neg', ['a'], ['t'])], 't')) },
      { captures: ['b'] },
    ),
    node('Abs', ['y'], ['z']),
  ],
  constants: new Map([['c', constant([condition], [], 'bool')]]),
  types: new Map([['x', f32(3)]]),
  captures: [],
})

const inlined = async (g: Graph) => {
  const result = await inlineIf(g, context)
  expect(problemsOf(result)).toEqual([])
  return result.nodes.map((n) => `${n.outputs.join()} = ${n.opType}(${n.inputs.join()})`)
}

describe('inlineIf', () => {
  it('takes the branch, and renames what the graph around also has', async () => {
    const then = branch('then', [node('Mul', ['a', 'b'], ['m']), node('Exp', ['m'], ['x'])], 'x')
    expect(await inlined(graph(1, then))).toEqual([
      'b = Relu(x)',
      'm = Mul(b,b_1)',
      'y = Exp(m)',
      'z = Abs(y)',
    ])
    expect(await inlined(graph(0, then))).toEqual(['b = Relu(x)', 'y = Neg(b)', 'z = Abs(y)'])
  })

  it('copies an output that the branch only captures', async () => {
    expect(await inlined(graph(1, branch('then', [], 'a')))).toEqual([
      'b = Relu(x)',
      'y = Identity(b)',
      'z = Abs(y)',
    ])
  })

  it('inlines an If within the branch', async () => {
    const inner = branch('inner', [node('Sqrt', ['a'], ['s'])], 's')
    const nested = node(
      'If',
      ['k'],
      ['n'],
      { then_branch: owned(inner), else_branch: owned(inner) },
      { captures: ['a'] },
    )
    const then = branch('then', [nested], 'n')
    const constants = new Map([...then.constants, ['k', constant([1], [], 'bool')] as const])
    expect(await inlined(graph(1, { ...then, constants }))).toEqual([
      'b = Relu(x)',
      'y = Sqrt(b)',
      'z = Abs(y)',
    ])
  })

  it('leaves a condition that is computed', async () => {
    const g = graph(1, branch('then', [], 'a'))
    const open = {
      ...g,
      constants: new Map(),
      inputs: ['x', 'c'],
      types: new Map([...g.types, ['c', { dtype: 'bool' as const, shape: [] }]]),
    }
    expect(await inlineIf(open, context)).toBe(open)
    expect(printGraph(open)).toContain('If')
  })
})
