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
    expect(textOf(lastLogits(graph, 'logits'))).toMatchInlineSnapshot()
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
