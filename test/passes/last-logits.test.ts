import { describe, expect, it } from 'vitest'
import { lastLogits } from '../../lib/passes/last-logits.js'
import { parseGraph, textOf } from '../helpers/graph-text.js'

describe('lastLogits', () => {
  it('cuts the last position out of what the product reads', () => {
    const graph = parseGraph(`
      graph g (x: float32[1, n, 4]) -> (logits: float32[1, n, 8])
        w: float32[4, 8]
        h = Exp(x)
        p = MatMul(h, w)
        logits = Cast(p) {to=1}
    `)
    expect(textOf(lastLogits(graph, 'logits'))).toMatchInlineSnapshot(`
      "graph g (x: float32[1, n, 4]) -> (logits: ?)
        w: float32[4, 8] = 0 0 0 0 0 0 0 0 ...
        octavo.logits:-1: int64[1] = -1
        octavo.logits:2147483647: int64[1] = 2147483647
        octavo.logits:1: int64[1] = 1
        h = Exp(x)
        h:last = Slice(h, octavo.logits:-1, octavo.logits:2147483647, octavo.logits:1)
        p = MatMul(h:last, w)
        logits = Cast(p) {to=1}"
    `)
  })

  it.each([
    ['another step makes them', 'logits = Exp(x)', 'got Exp'],
    ['they are read', 'logits = MatMul(x, w)\n        z = Exp(logits)', 'got MatMul'],
    ['what makes them is given too', 'z = MatMul(x, w)\n        logits = Cast(z) {to=1}', 'got MatMul'],
  ])('refuses where %s', (_, nodes, message) => {
    const graph = parseGraph(`
      graph g (x: float32[1, n, 4]) -> (logits: ?, z: ?)
        w: float32[4, 8]
        ${nodes}
    `)
    expect(() => lastLogits(graph, 'logits')).toThrow(message)
  })
})
