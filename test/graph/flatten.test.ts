/** Graphs with their bodies in one list of nodes, and back. */
import { describe, expect, it } from 'vitest'
import { flatten } from '../../lib/graph/flatten.js'
import type { Graph } from '../../lib/graph/graph.js'
import { unflatten } from '../../lib/graph/unflatten.js'
import { problemsOf } from '../../lib/graph/verify.js'
import { parseGraph, textOf, withoutMargin } from '../helpers/graph-text.js'

/** Both branches have a `t`, and call the captured `r` something else. */
const BRANCHES = `
  graph g (x: float32[2], c: bool[]) -> (z: ?)
    r = Relu(x)
    y = If(c) captures (r)
      else_branch () -> (t: ?) captures (a)
        b: float32[2] = 1 2
        t = Mul(a, b)
      then_branch () -> (t: ?) captures (q)
        n = Neg(q)
        t = Exp(n)
    z = Abs(y)
`

const flat = (graph: Graph) => {
  const found = flatten(graph)
  if (!found) throw new Error('expected owned graphs')
  return found
}

const back = (graph: Graph) => unflatten(flat(graph), graph)

describe('flatten', () => {
  it('puts nodes of branches before their If, under names of their own', () => {
    const { graph, scopes, scopeOf } = flat(parseGraph(BRANCHES))
    expect(textOf(graph)).toBe(
      withoutMargin(`
      graph g (x: float32[2], c: bool[]) -> (z: ?, r: ?, t: ?, t_1: ?)
        b: float32[2] = 1 2
        r = Relu(x)
        t = Mul(r, b)
        n = Neg(r)
        t_1 = Exp(n)
        y = If(c) captures (t, t_1)
        z = Abs(y)
      `).join('\n'),
    )
    expect(graph.nodes.map(({ name }) => scopes.indexOf(scopeOf(name) as never))).toEqual([
      -1, 0, 1, 1, -1, -1,
    ])
  })

  it('leaves a graph without bodies alone', () => {
    expect(flatten(parseGraph('graph g (x: float32[2]) -> (y: ?)\n  y = Relu(x)'))).toBeUndefined()
  })

  it('knows a tensor that several graphs have by one name', () => {
    const weights = parseGraph('graph g (x: float32[2]) -> (y: ?)\n  w: float32[2] = 3 4\n  y = Mul(x, w)')
    const w = weights.constants.get('w') as never
    const graph = parseGraph(BRANCHES)
    const node = graph.nodes[1] as Graph['nodes'][number]
    const attributes = Object.fromEntries(
      Object.entries(node.attributes).map(([name, attribute]) => {
        if (attribute.kind !== 'graph') return [name, attribute]
        const constants = new Map([...attribute.value.constants, [`w_${name}`, w] as const])
        return [name, { kind: 'graph', value: { ...attribute.value, constants } } as const]
      }),
    )
    const nodes = graph.nodes.map((n) => (n === node ? { ...node, attributes } : n))
    expect([...flat({ ...graph, nodes }).graph.constants.keys()]).toEqual(['b', 'w_else_branch'])
  })
})

describe('unflatten', () => {
  it('gives every node back, and captures what a body reads from around', () => {
    const graph = back(parseGraph(BRANCHES))
    expect(problemsOf(graph)).toEqual([])
    expect(textOf(graph)).toBe(
      withoutMargin(`
      graph g (x: float32[2], c: bool[]) -> (z: ?)
        r = Relu(x)
        y = If(c) captures (r)
          else_branch () -> (t: ?) captures (r)
            b: float32[2] = 1 2
            t = Mul(r, b)
          then_branch () -> (t_1: ?) captures (r)
            n = Neg(r)
            t_1 = Exp(n)
        z = Abs(y)
      `).join('\n'),
    )
  })

  it('keeps inputs of a loop, bodies in bodies, and outputs that are captured', () => {
    const text = `
      graph g (x: float32[2], m: int64[], c: bool[]) -> (y: ?)
        s = Neg(x)
        y = Loop(m, _, x) captures (c, s)
          body (i: int64[], on: bool[], v: float32[2]) -> (on: bool[], w: ?) captures (c, s)
            w = If(c) captures (v, s)
              else_branch () -> (e: ?) captures (v, s)
                e = Add(v, s)
              then_branch () -> (v: ?) captures (v, s)
    `
    const graph = back(parseGraph(text))
    expect(problemsOf(graph)).toEqual([])
    expect(textOf(graph)).toBe(withoutMargin(text).join('\n'))
  })

  it('puts what several graphs read into the main one, and drops what nothing reads', () => {
    const parsed = parseGraph(BRANCHES)
    const found = flat(parsed)
    const nodes = found.graph.nodes.flatMap((n) =>
      n.opType === 'Neg'
        ? [
            { ...n, inputs: ['b'] },
            { ...n, name: 'dead', outputs: ['unread'] },
          ]
        : [n],
    )
    const graph = unflatten({ ...found, graph: { ...found.graph, nodes } }, parsed)
    expect([...graph.constants.keys()]).toEqual(['b'])
    expect(graph.nodes[1]?.captures).toEqual(['r', 'b'])
    expect(textOf(graph)).not.toContain('unread')
  })
})
