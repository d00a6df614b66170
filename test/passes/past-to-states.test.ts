import { expect, it } from 'vitest'
import { problemsOf } from '../../lib/graph/verify.js'
import { pastToStates } from '../../lib/passes/past-to-states.js'
import { parseGraph, textOf } from '../helpers/graph-text.js'

const PAIR = [{ past: 'p', present: 'c' }]
const rewritten = (text: string) => {
  const graph = pastToStates(parseGraph(text), PAIR, 'ids', { limit: 8, type: 'float32' })
  expect(problemsOf(graph)).toEqual([])
  return textOf(graph)
}

it('appends to a state what a Concat puts after the past', () => {
  const text = rewritten(`
    graph g (ids: int64[1, n], x: float32[b, 2, n, 4], p: float32[b, 2, past, 4]) -> (y: ?, c: float32[b, 2, total, 4])
      c = Concat(p, x) {axis=-2}
      y = Exp(c)
  `)
  expect(text).toMatchInlineSnapshot(`
    "graph g (ids: int64[1, n], x: float32[1, 2, n, 4], octavo.past_length: int64[1]) -> (y: ?)
      octavo.past:0: int64[1] = 0
      octavo.past:2: int64[1] = 2
      state p: float32[1, 2, 8, 4] <- p:next
      octavo.total_length:tokens = Shape(ids) {end=2, start=1}
      octavo.total_length = Add(octavo.past_length, octavo.total_length:tokens)
      p:next = octavo.Append(p, x, octavo.past_length)
      c = Slice(p:next, octavo.past:0, octavo.total_length, octavo.past:2)
      y = Exp(c)"
  `)
})

it('hands the state and its length to GroupQueryAttention', () => {
  const text = rewritten(`
    graph g (ids: int64[1, n], q: float32[b, n, 8], s: int32[b], t: int32[], p: float16[b, 2, past, 4], o: float32[b, 2, past, 4]) -> (y: ?, c: ?)
      y, c, d = com.microsoft.GroupQueryAttention(q, q, q, p, o, s, t) {num_heads=2, kv_num_heads=2}
  `)
  expect(text).toMatchInlineSnapshot(`
    "graph g (ids: int64[1, n], q: float32[1, n, 8], s: int32[1], t: int32[], o: float32[1, 2, past, 4], octavo.past_length: int64[1]) -> (y: ?)
      state p: float32[1, 2, 8, 4] <- c
      octavo.total_length:tokens = Shape(ids) {end=2, start=1}
      octavo.total_length = Add(octavo.past_length, octavo.total_length:tokens)
      y, c, d = com.microsoft.GroupQueryAttention(q, q, q, p, o, s, t, _, _, _, _, _, _, _, _, _, octavo.past_length) {kv_num_heads=2, num_heads=2}"
  `)
})

it('cuts what is new out of a past that is made in another way, and gives other readers what is filled', () => {
  const text = rewritten(`
    graph g (ids: int64[1, n], x: float32[b, 2, n, 4], p: float32[b, 2, past, 4]) -> (y: ?, c: ?)
      s = Shape(p)
      y = Identity(s)
      w = Exp(p)
      c = Concat(w, x) {axis=2}
  `)
  expect(text).toMatchInlineSnapshot(`
    "graph g (ids: int64[1, n], x: float32[1, 2, n, 4], octavo.past_length: int64[1]) -> (y: ?)
      octavo.past:2: int64[1] = 2
      octavo.past:0: int64[1] = 0
      state p: float32[1, 2, 8, 4] <- p:next
      octavo.total_length:tokens = Shape(ids) {end=2, start=1}
      octavo.total_length = Add(octavo.past_length, octavo.total_length:tokens)
      p:filled = Slice(p, octavo.past:0, octavo.past_length, octavo.past:2)
      s = Shape(p:filled)
      y = Identity(s)
      w = Exp(p:filled)
      c = Concat(w, x) {axis=2}
      p:fresh = Slice(c, octavo.past_length, octavo.total_length, octavo.past:2)
      p:next = octavo.Append(p, p:fresh, octavo.past_length)"
  `)
})

it.each([
  ['float32[b, h, past, 4]', 'heads that are open'],
  ['int8[b, 2, past, 4]', 'another type'],
  ['float32[2, 2, past, 4]', 'two sequences'],
  ['float32[b, past, 4]', 'another rank'],
])('refuses %s: %s', (type) => {
  const text = `
    graph g (ids: int64[1, n], x: ?, p: ${type}) -> (c: ?)
      c = Concat(p, x) {axis=2}
  `
  expect(() => pastToStates(parseGraph(text), PAIR, 'ids', { limit: 8, type: 'float32' })).toThrow(
    /input 'p': expected float \[1, heads/,
  )
})
