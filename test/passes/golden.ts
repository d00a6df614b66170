/** Golden tests of graph passes: text in, text out. */
import { expect } from 'vitest'
import { evaluateConstants } from '../../lib/compile/run/evaluate.js'
import { problemsOf } from '../../lib/graph/verify.js'
import type { Pass, PassOptions } from '../../lib/passes/pass.js'
import { parseGraph, textOf, withoutMargin } from '../helpers/graph-text.js'

/** The pass makes the second graph of the first, and a valid one. Constants are computed by the engine. */
export async function expectRewrite(
  pass: Pass,
  before: string,
  after: string,
  options: PassOptions = {},
): Promise<void> {
  const graph = parseGraph(before)
  expect(problemsOf(graph)).toEqual([])
  const result = await pass(graph, { ...options, evaluate: evaluateConstants })
  expect(problemsOf(result)).toEqual([])
  expect(textOf(result)).toBe(withoutMargin(after).join('\n'))
}

/** The pass finds nothing to do: the very same graph comes out. */
export async function expectUntouched(pass: Pass, before: string, options: PassOptions = {}): Promise<void> {
  const graph = parseGraph(before)
  expect(problemsOf(graph)).toEqual([])
  expect(await pass(graph, { ...options, evaluate: evaluateConstants })).toBe(graph)
}
