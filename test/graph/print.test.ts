import { expect, test } from 'vitest'
import { printGraph } from '../../lib/graph/print.js'
import { stringTensor } from '../../lib/graph/tensor.js'
import { problemsOf } from '../../lib/graph/verify.js'
import { parseGraph, textOf, withoutMargin } from '../helpers/graph-text.js'

const text = withoutMargin(`
  graph main (x: float32[n, 3], c: bool[]) -> (y: float32[?], z: ?)
    w: float32[2, 5] = 0.5 1 -2 3 3 3 3 3 ...
    i: int64[2] = 1 -1
    a, _ = Split(x, _, w) {alpha=2.0, axis=1, sizes=[1, 2], slopes=[0.5, 1.0], tag="t"} # s
    y = com.example.Odd(a) # o
    z = If(c) captures (a) # choice
      then_branch () -> (t: ?) captures (b)
        k: float32[] = 1
        t = Add(b, k) # inner
      else_branch () -> (e: ?) captures (b)
        e = Neg(b) # other
`).join('\n')

test('a graph as text, and the graph of the text', () => {
  const graph = parseGraph(text)
  expect(problemsOf(graph)).toEqual([])
  expect(textOf(graph, true)).toBe(text)
  expect(graph.nodes[0]?.attributes).toEqual({
    alpha: { kind: 'float', value: 2 },
    axis: { kind: 'int', value: 1 },
    sizes: { kind: 'ints', value: [1, 2] },
    slopes: { kind: 'floats', value: [0.5, 1] },
    tag: { kind: 'string', value: 't' },
  })
  expect(graph.nodes[1]).toMatchObject({ domain: 'com.example', opType: 'Odd' })
})

test('constants show as many elements as are asked for', () => {
  const { nodes: _, ...rest } = parseGraph(text)
  const graph = {
    ...rest,
    nodes: [],
    constants: new Map([...rest.constants, ['s', stringTensor([1], ['a'])]]),
  }
  expect(printGraph(graph, { elements: 0 })).toContain('w: float32[2, 5]\n')
  expect(printGraph(graph, { elements: 1 })).toContain('w: float32[2, 5] = 0.5 ...\n')
  expect(printGraph(graph)).toContain('s: string[1] = "a"\n')
})
