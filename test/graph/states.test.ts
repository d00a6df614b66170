/** States and updates in graphs: text, rules, and passes, which may not take a state for a constant. */
import { describe, expect, test } from 'vitest'
import type { Graph } from '../../lib/graph/graph.js'
import { GraphEditor, removeDead } from '../../lib/graph/rewrite.js'
import { problemsOf } from '../../lib/graph/verify.js'
import { writeModel } from '../../lib/onnx/write.js'
import { foldScale } from '../../lib/passes/fold-scale.js'
import { mergeGemm } from '../../lib/passes/merge-gemm.js'
import { removeNoOps } from '../../lib/passes/no-ops.js'
import { widenFloat16 } from '../../lib/passes/widen-float16.js'
import { parseGraph, textOf, withoutMargin } from '../helpers/graph-text.js'
import { expectRewrite, expectUntouched } from '../passes/golden.js'

const TEXT = `
  graph g (x: float32[2]) -> (y: float32[2])
    two: float32[] = 2
    state s: float32[2] = 1 -1 <- t
    state zeros: float32[3]
    y = Mul(x, s)
    t = Mul(y, two)
`

test('text has states with their first values and what they take', () => {
  const graph = parseGraph(TEXT)
  expect(graph.states?.get('zeros')).toEqual({ type: { dtype: 'float32', shape: [3] } })
  expect(graph.updates).toEqual(new Map([['s', 't']]))
  expect(problemsOf(graph)).toEqual([])
  expect(textOf(graph)).toBe(withoutMargin(TEXT).join('\n'))
})

describe('a graph is not valid', () => {
  const faults: [string, (graph: Graph) => Graph, string][] = [
    [
      'whose state has the name of an input',
      (g) => ({
        ...g,
        states: new Map([...(g.states ?? []), ['x', { type: { dtype: 'float32', shape: [2] } }]]),
      }),
      '"x" is defined twice, again by a state',
    ],
    [
      'that updates what is no state',
      (g) => ({ ...g, updates: new Map([['y', 't']]) }),
      '"y" is updated, but is no state',
    ],
    [
      'whose update nothing defines',
      (g) => ({ ...g, updates: new Map([['s', 'u']]) }),
      'State "s" takes the value "u", which nothing defines',
    ],
    [
      'whose state has elements of less than a byte',
      (g) => ({
        ...g,
        states: new Map([...(g.states ?? []), ['b', { type: { dtype: 'int4', shape: [2] } }]]),
      }),
      'State "b" has elements of type int4',
    ],
    [
      'whose first value has other sizes',
      (g) => ({
        ...g,
        states: new Map([
          [
            's',
            {
              type: { dtype: 'float32', shape: [1] },
              initial: { dtype: 'float32', dims: [2], data: new Uint8Array(8) },
            },
          ],
        ]),
      }),
      'State "s" is float32[1], its first value float32[2]',
    ],
  ]
  test.each(faults)('%s', (_, change, message) => {
    expect(problemsOf(change(parseGraph(TEXT))).map((p) => p.message)).toContain(message)
  })

  test('with a state in an owned graph', () => {
    const graph = parseGraph(`
      graph g (c: bool[]) -> (y: float32[2])
        y = If(c)
          then_branch () -> (p: float32[2])
            state s: float32[2]
            p = Neg(s)
          else_branch () -> (q: float32[2])
            q: float32[2] = 1 2
    `)
    expect(problemsOf(graph).map((p) => p.message)).toContainEqual(
      'State "s" in graph "then_branch" of node "If_y": only the main graph has states',
    )
  })
})

describe('rewriting', () => {
  test('keeps what an update depends on', () => {
    const graph = parseGraph(`
      graph g (x: float32[2]) -> (y: float32[2])
        state s: float32[2] <- c
        a = Neg(x)
        b = Abs(a)
        c = Exp(a)
        y = Neg(s)
    `)
    expect(removeDead(graph).nodes.map((n) => n.outputs[0])).toEqual(['a', 'c', 'y'])
  })

  test('keeps the name of a value that a state takes', () => {
    const graph = parseGraph(`
      graph g (x: float32[2]) -> (y: float32[2])
        state s: float32[2] <- b
        a = Neg(x)
        b = Abs(a)
        y = Exp(b)
    `)
    const editor = new GraphEditor(graph)
    editor.redirect('b', 'a')
    const result = editor.finish()
    expect(problemsOf(result)).toEqual([])
    expect(result.nodes.map(({ opType, outputs }) => `${outputs[0]} = ${opType}`)).toEqual([
      'b = Neg',
      'y = Exp',
    ])
    expect(editor.type('s')).toEqual({ dtype: 'float32', shape: [2] })
  })

  test('a state has no form in a file', () => {
    const model = { graph: parseGraph(TEXT), opset: 21, irVersion: 10, producer: '', metadata: {} }
    expect(() => writeModel(model)).toThrow(/State "s" has no form in an ONNX file/)
  })
})

describe('passes', () => {
  test('fold no state into weights', () =>
    expectUntouched(
      foldScale,
      `
      graph g (x: float32[n, 2]) -> (y: float32[n, 2])
        w: float32[2, 2] = 1 2 3 4
        state s: float32[2] = 1 2 <- t
        one: float32[] = 1
        a = MatMul(x, w)
        y = Mul(a, s)
        t = Add(s, one)
    `,
    ))

  test('keep a value that a state takes', async () => {
    const matmul = `
      graph g (x: float32[2, 2]) -> (y: float32[2, 2])
        w: float32[2, 2] = 1 2 3 4
        b: float32[2] = 1 2
        state s: float32[2, 2] <- a
        a = MatMul(x, w)
        y = Add(a, b)
    `
    await expectUntouched(mergeGemm, matmul)
    await expectUntouched(
      removeNoOps,
      `
      graph g (x: float32[2]) -> (y: float32[2])
        state s: float32[2] <- a
        a = Identity(x)
        y = Neg(a)
    `,
    )
  })

  test('widen what is read of a float16 state, and narrow what it takes', () =>
    expectRewrite(
      widenFloat16,
      `
      graph g (x: float32[2]) -> (y: float32[2])
        state s: float16[2] <- t
        t = Neg(s)
        y = Abs(x)
    `,
      `
      graph g (x: float32[2]) -> (y: float32[2])
        state s: float16[2] <- t
        s:wide = Cast(s) {to=1}
        t:wide = Neg(s:wide)
        y = Abs(x)
        t = Cast(t:wide) {to=10}
    `,
    ))
})
