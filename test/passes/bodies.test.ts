/** Branches and bodies of loops go through the passes too. */
import { expect, it } from 'vitest'
import { evaluateConstants } from '../../lib/compile/run/evaluate.js'
import { problemsOf } from '../../lib/graph/verify.js'
import { prepareBodies } from '../../lib/passes/bodies.js'
import { prepareGraph } from '../../lib/passes/index.js'
import { parseGraph, textOf, withoutMargin } from '../helpers/graph-text.js'

const prepare = (text: string) => {
  const graph = parseGraph(text)
  return prepareBodies(graph, (body) => prepareGraph(body, { partial: true, evaluate: evaluateConstants }))
}

it('patterns are recognised and constants folded inside, at any depth; captures that nothing reads go', async () => {
  const graph = await prepare(`
    graph g (x: float32[2], k: float32[2], c: bool[]) -> (y: ?)
      y = If(c) captures (x, k, c)
        else_branch () -> (e: ?) captures (x, k, c)
          zero: float32[] = 0
          s = Sigmoid(x)
          m = Mul(x, s)
          z = Mul(k, zero)
          e = Abs(m)
        then_branch () -> (t: ?) captures (x, k, c)
          t = If(c) captures (x)
            else_branch () -> (d: ?) captures (x)
              a: float32[2] = 1 2
              b = Neg(a)
              i = Identity(x)
              d = Mul(i, b)
            then_branch () -> (u: ?) captures (x)
              u = Exp(x)
  `)
  expect(problemsOf(graph)).toEqual([])
  expect(textOf(graph)).toBe(
    withoutMargin(`
    graph g (x: float32[2], k: float32[2], c: bool[]) -> (y: ?)
      y = If(c) captures (x, c)
        else_branch () -> (e: ?) captures (x, c)
          m = Swish(x)
          e = Abs(m)
        then_branch () -> (t: ?) captures (x, c)
          t = If(c) captures (x)
            else_branch () -> (d: ?) captures (x)
              b: float32[2] = -1 -2
              d = Mul(x, b)
            then_branch () -> (u: ?) captures (x)
              u = Exp(x)
    `).join('\n'),
  )
})

it('a graph without bodies is the same object', async () => {
  const graph = parseGraph('graph g (x: float32[2]) -> (y: ?)\n  y = Relu(x)')
  expect(await prepareBodies(graph, () => Promise.reject(new Error('not asked')))).toBe(graph)
})
