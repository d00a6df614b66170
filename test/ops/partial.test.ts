/** Inference of graphs whose ranks and sizes only feeds decide. */
import { describe, expect, test } from 'vitest'
import { formatDim, symbol } from '../../lib/graph/expr.js'
import { type Inference, inferGraph, nestedKey } from '../../lib/ops/core/infer.js'
import { constant, f32, graph, i64, node, owned } from './graphs.js'

const n = symbol('n')

function shapeOf(info: Inference, name: string): string {
  return `[${info.types.get(name)?.shape?.map(formatDim).join(', ')}]`
}

describe('partial inference', () => {
  const branches = (then: string[]) => ({
    then_branch: owned(graph({ captures: ['x'], nodes: [node('Squeeze', then, ['t'])], outputs: ['t'] })),
    else_branch: owned(graph({ captures: ['x'], nodes: [node('Identity', ['x'], ['e'])], outputs: ['e'] })),
  })
  const switching = graph({
    inputs: { x: f32(n, 1, 4), c: { dtype: 'bool', shape: [] }, z: f32(n, 1, 4) },
    nodes: [
      node('If', ['c'], ['y'], branches(['x']), { captures: ['x'] }),
      node('Relu', ['y'], ['r']),
      node('Neg', ['z'], ['k']),
    ],
    outputs: ['r', 'k'],
  })

  test('leaves open what only feeds can tell, and says why', () => {
    expect(() => inferGraph(switching)).toThrow(/Squeeze/)
    const info = inferGraph(switching, { partial: true })
    expect([info.types.get('y'), info.types.get('r')]).toEqual([undefined, undefined])
    expect(shapeOf(info, 'k')).toBe('[n, 1, 4]')
    const then = info.nested.get(nestedKey(switching.nodes[0] as never, 'then_branch'))
    expect(then?.open).toHaveLength(1)
    const otherwise = info.nested.get(nestedKey(switching.nodes[0] as never, 'else_branch'))
    expect(otherwise && shapeOf(otherwise, 'e')).toBe('[n, 1, 4]')
  })

  test('knows the element type that the file declares', () => {
    const declared = { ...switching, types: new Map([...switching.types, ['y', f32()] as const]) }
    expect(inferGraph(declared, { partial: true }).types.get('y')).toEqual({ dtype: 'float32' })
  })

  test('does not mix with an inference that must be whole', () => {
    inferGraph(switching, { partial: true })
    expect(() => inferGraph(switching)).toThrow(/Squeeze/)
  })

  test('an input without a rank stays so', () => {
    const open = graph({
      inputs: { x: { dtype: 'float32' } },
      nodes: [node('MatMul', ['x', 'x'], ['y'])],
      outputs: ['y'],
    })
    expect(inferGraph(open, { partial: true }).types.get('x')).toEqual({ dtype: 'float32' })
  })

  test('a loop that changes the rank of what it carries has no types inside', () => {
    const body = graph({
      inputs: { i: i64(), on: { dtype: 'bool', shape: [] }, v: f32(n) },
      constants: { axis: constant([0]) },
      nodes: [node('Unsqueeze', ['v', 'axis'], ['w'])],
      outputs: ['on', 'w'],
    })
    const looping = graph({
      inputs: { x: f32(n), m: i64() },
      nodes: [node('Loop', ['m', '', 'x'], ['y'], { body: owned(body) })],
      outputs: ['y'],
    })
    const info = inferGraph(looping, { partial: true })
    expect(info.types.has('y')).toBe(false)
    expect(info.nested.size).toBe(0)
  })
})
