import { describe, expect, test } from 'vitest'
import type { Graph, Node } from '../../lib/graph/graph.js'
import { printGraph } from '../../lib/graph/print.js'
import { GraphEditor } from '../../lib/graph/rewrite.js'
import { topologicalOrder } from '../../lib/graph/sort.js'
import { settleCaptures } from '../../lib/graph/subgraph.js'
import { scalar } from '../../lib/graph/tensor.js'
import { problemsOf, verifyGraph } from '../../lib/graph/verify.js'

const float = { dtype: 'float32', shape: [2] } as const

function node(
  name: string,
  opType: string,
  inputs: string[],
  outputs: string[],
  rest: Partial<Node> = {},
): Node {
  return { name, opType, domain: '', inputs, outputs, attributes: {}, ...rest }
}

function graphOf(nodes: Node[], rest: Partial<Graph> = {}): Graph {
  return {
    name: 'g',
    inputs: ['x'],
    outputs: ['y'],
    nodes,
    constants: new Map(),
    types: new Map([['x', float]]),
    captures: [],
    ...rest,
  }
}

const chain = graphOf([
  node('a', 'Relu', ['x'], ['u']),
  node('b', 'Identity', ['u'], ['v']),
  node('c', 'Neg', ['v'], ['y']),
])

describe('GraphEditor', () => {
  test('returns the same graph where nothing changed', () => {
    expect(new GraphEditor(chain).finish()).toBe(chain)
  })

  test('redirects readers and drops what is dead', () => {
    const editor = new GraphEditor(chain)
    expect(editor.redirect('v', 'u')).toBe('u')
    const result = editor.finish()
    expect(problemsOf(result)).toEqual([])
    expect(result.nodes.map((n) => [n.name, ...n.inputs])).toEqual([
      ['a', 'x'],
      ['c', 'u'],
    ])
  })

  test('keeps the names of outputs', () => {
    const ends = graphOf(
      [node('a', 'Relu', ['x'], ['u']), node('b', 'Identity', ['u'], ['y']), node('d', 'Abs', ['u'], ['z'])],
      {
        outputs: ['y', 'z'],
      },
    )
    const editor = new GraphEditor(ends)
    expect(editor.redirect('y', 'u')).toBe('y')
    const result = editor.finish()
    expect(problemsOf(result)).toEqual([])
    expect(result.nodes.map((n) => [n.name, n.inputs[0], n.outputs[0]])).toEqual([
      ['a', 'x', 'y'],
      ['d', 'y', 'z'],
    ])
  })

  test('passes an input to an output by an Identity', () => {
    const editor = new GraphEditor(chain)
    editor.redirect('y', 'x')
    const result = editor.finish()
    expect(problemsOf(result)).toEqual([])
    expect(result.nodes.map((n) => [n.opType, n.inputs[0], n.outputs[0]])).toEqual([['Identity', 'x', 'y']])
  })

  test('replaces nodes, adds constants under free names, sorts', () => {
    const editor = new GraphEditor(chain)
    const two = editor.addConstant('u', scalar('float32', 2))
    expect(two).toBe('u_1')
    const [a, b] = [editor.node('a') as Node, editor.node('b') as Node]
    expect(editor.soleReader('u')).toBe(b)
    editor.replace([a, b], [node('a', 'Mul', ['x', two], ['v'])])
    expect(editor.producer('v')?.name).toBe('a')
    expect(editor.producer('u')).toBeUndefined()
    const result = editor.finish()
    expect(problemsOf(result)).toEqual([])
    expect(printGraph(result)).toBe(
      'graph g (x: float32[2]) -> (y: ?)\n  u_1: float32[] = 2\n  v = Mul(x, u_1) # a\n  y = Neg(v) # c\n',
    )
  })

  test('makes a value constant', () => {
    const editor = new GraphEditor(chain)
    editor.makeConstant('v', scalar('float32', 1))
    const result = editor.finish()
    expect(problemsOf(result)).toEqual([])
    expect(result.nodes.map((n) => n.name)).toEqual(['c'])
  })

  test('renames captures without looking inside', () => {
    const branch = graphOf([node('i', 'Abs', ['v'], ['o'])], {
      inputs: [],
      outputs: ['o'],
      captures: ['v'],
      types: new Map(),
    })
    const attributes = { then_branch: { kind: 'graph', value: branch } } as const
    const editor = new GraphEditor(
      graphOf([
        node('a', 'Relu', ['x'], ['u']),
        node('b', 'Identity', ['u'], ['v']),
        node('f', 'If', ['x'], ['y'], { attributes, captures: ['v'] }),
      ]),
    )
    editor.redirect('v', 'u')
    const result = editor.finish()
    expect(problemsOf(result)).toEqual([])
    expect(result.nodes.map((n) => n.name)).toEqual(['a', 'f'])
    expect(result.nodes[1]?.captures).toEqual(['u'])
  })

  test('is fast on long graphs', () => {
    const count = 100_000
    const nodes = Array.from({ length: count }, (_, i) =>
      node(
        `n${i}`,
        i % 2 ? 'Identity' : 'Relu',
        [i === 0 ? 'x' : `v${i - 1}`],
        [i === count - 1 ? 'y' : `v${i}`],
      ),
    )
    const editor = new GraphEditor(graphOf(nodes))
    for (const n of editor.nodes())
      if (n.opType === 'Identity') editor.redirect(n.outputs[0] ?? '', n.inputs[0] ?? '')
    expect(editor.finish().nodes.length).toBe(count / 2)
  }, 20_000)
})

test('captured constants move into the graphs that use them', () => {
  const branch = graphOf([node('i', 'Add', ['p', 'k'], ['o'])], {
    inputs: [],
    outputs: ['o'],
    captures: ['p', 'k', 'unused'],
    types: new Map(),
  })
  const outer = graphOf(
    [
      node('f', 'If', ['x'], ['y'], {
        attributes: { then_branch: { kind: 'graph', value: branch } },
        captures: ['x', 'c', 'x'],
      }),
    ],
    { constants: new Map([['c', scalar('float32', 1)]]) },
  )
  expect(problemsOf(outer)).toEqual([])
  const settled = settleCaptures(outer)
  expect(problemsOf(settled)).toEqual([])
  const [owner] = settled.nodes
  const inner = owner?.attributes.then_branch
  expect(owner?.captures).toEqual(['x'])
  expect(inner?.kind === 'graph' && [inner.value.captures, [...inner.value.constants.keys()]]).toEqual([
    ['p'],
    ['k'],
  ])
})

describe('topologicalOrder', () => {
  test('keeps an order that is one', () => {
    expect(topologicalOrder(chain.nodes)).toBe(chain.nodes)
  })

  test('names the cycle', () => {
    const nodes = [node('a', 'Relu', ['v'], ['u']), node('b', 'Abs', ['u'], ['v'])]
    expect(() => topologicalOrder(nodes)).toThrow(/cycle.*"a", "b"/)
  })
})

describe('verifyGraph', () => {
  const problems = (graph: Graph) => problemsOf(graph).map(({ message }) => message)

  test.each<[string, Graph, RegExp]>([
    [
      'a value defined twice',
      graphOf([node('a', 'Relu', ['x'], ['y']), node('b', 'Abs', ['x'], ['y'])]),
      /"y" is defined twice/,
    ],
    ['a dangling read', graphOf([node('a', 'Relu', ['w'], ['y'])]), /"a" \(Relu\) reads "w", which nothing/],
    [
      'unsorted nodes',
      graphOf([node('a', 'Relu', ['u'], ['y']), node('b', 'Abs', ['x'], ['u'])]),
      /not sorted/,
    ],
    ['a missing output', graphOf([node('a', 'Relu', ['x'], ['u'])]), /Output "y" is defined by nothing/],
    [
      'two nodes of one name',
      graphOf([node('a', 'Relu', ['x'], ['u']), node('a', 'Abs', ['u'], ['y'])]),
      /name "a"/,
    ],
    [
      'an input without type',
      graphOf([node('a', 'Relu', ['x'], ['y'])], { types: new Map() }),
      /"x" has no type/,
    ],
    [
      'a constant of the wrong size',
      graphOf([node('a', 'Add', ['x', 'k'], ['y'])], {
        constants: new Map([['k', { dtype: 'float32', dims: [2], data: new Uint8Array(4) }]]),
      }),
      /"k" has 4 bytes, expected 8/,
    ],
    [
      'captures without graph',
      graphOf([node('a', 'Relu', ['x'], ['y'], { captures: ['x'] })]),
      /owns no graph/,
    ],
  ])('finds %s', (_what, graph, message) => {
    expect(problems(graph).join('\n')).toMatch(message)
    expect(() => verifyGraph(graph, 'fold')).toThrow(/not valid after fold/)
  })
})
