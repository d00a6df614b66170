import { describe, expect, it } from 'vitest'
import type { Attribute, ConstantTensor, Graph, Node } from '../../lib/graph/graph.js'
import { recogniseGelu } from '../../lib/passes/recognise-gelu.js'
import { recogniseHardSwish } from '../../lib/passes/recognise-hardswish.js'
import { recogniseSwish } from '../../lib/passes/recognise-swish.js'

type Line = readonly [output: string, op: string, ...inputs: (string | number)[]]

/** A graph of x -> y; numbers among the inputs become scalar constants. */
function graphOf(lines: readonly Line[], attributes: Record<string, Attribute> = {}): Graph {
  const constants = new Map<string, ConstantTensor>()
  const input = (value: string | number): string => {
    if (typeof value === 'string') return value
    const data = new Uint8Array(Float32Array.of(value).buffer)
    constants.set(`c${value}`, { dtype: 'float32', dims: [], data })
    return `c${value}`
  }
  const nodes = lines.map(
    ([output, opType, ...inputs]): Node => ({
      name: `${opType}_${output}`,
      opType,
      domain: '',
      inputs: inputs.map(input),
      outputs: [output],
      attributes: opType === 'HardSigmoid' ? attributes : {},
    }),
  )
  const types = new Map([['x', { dtype: 'float32' as const, shape: [2, 3] }]])
  return { name: 'g', inputs: ['x'], outputs: ['y'], nodes, constants, types, captures: [] }
}

const ops = (graph: Graph) => graph.nodes.map((n) => `${n.opType}(${n.inputs.join(',')})`)

describe('recognised activations', () => {
  it('Swish', () => {
    const graph = graphOf([
      ['s', 'Sigmoid', 'x'],
      ['y', 'Mul', 's', 'x'],
    ])
    expect(ops(recogniseSwish(graph))).toEqual(['Swish(x)'])
  })

  it('is left alone where the sigmoid is of something else', () => {
    const graph = graphOf([
      ['z', 'Neg', 'x'],
      ['s', 'Sigmoid', 'z'],
      ['y', 'Mul', 's', 'x'],
    ])
    expect(recogniseSwish(graph)).toBe(graph)
  })

  it.each<[string, readonly Line[]]>([
    [
      'divided last',
      [
        ['a', 'Add', 'x', 3],
        ['c', 'Clip', 'a', 0, 6],
        ['m', 'Mul', 'x', 'c'],
        ['y', 'Div', 'm', 6],
      ],
    ],
    [
      'divided first',
      [
        ['a', 'Add', 3, 'x'],
        ['c', 'Clip', 'a', 0, 6],
        ['d', 'Div', 'c', 6],
        ['y', 'Mul', 'd', 'x'],
      ],
    ],
    [
      'multiplied',
      [
        ['a', 'Add', 'x', 3],
        ['c', 'Clip', 'a', 0, 6],
        ['m', 'Mul', 'c', 1 / 6],
        ['y', 'Mul', 'x', 'm'],
      ],
    ],
  ])('HardSwish, %s', (_, lines) => {
    expect(ops(recogniseHardSwish(graphOf(lines)))).toEqual(['HardSwish(x)'])
  })

  it('HardSwish of HardSigmoid, only with its slope', () => {
    const lines: readonly Line[] = [
      ['h', 'HardSigmoid', 'x'],
      ['y', 'Mul', 'x', 'h'],
    ]
    const slope: Attribute = { kind: 'float', value: Math.fround(1 / 6) }
    expect(ops(recogniseHardSwish(graphOf(lines, { alpha: slope })))).toEqual(['HardSwish(x)'])
    expect(ops(recogniseHardSwish(graphOf(lines)))).toHaveLength(2)
  })

  it.each<[string, readonly Line[]]>([
    [
      'half last',
      [
        ['d', 'Div', 'x', Math.SQRT2],
        ['e', 'Erf', 'd'],
        ['a', 'Add', 'e', 1],
        ['m', 'Mul', 'x', 'a'],
        ['y', 'Mul', 'm', 0.5],
      ],
    ],
    [
      'half first',
      [
        ['h', 'Mul', 'x', 0.5],
        ['d', 'Mul', 'x', Math.SQRT1_2],
        ['e', 'Erf', 'd'],
        ['a', 'Add', 1, 'e'],
        ['y', 'Mul', 'h', 'a'],
      ],
    ],
  ])('Gelu by erf, %s', (_, lines) => {
    expect(ops(recogniseGelu(graphOf(lines)))).toEqual(['Gelu(x)'])
  })

  it('Gelu by tanh', () => {
    const graph = graphOf([
      ['p', 'Pow', 'x', 3],
      ['q', 'Mul', 'p', 0.044715],
      ['s', 'Add', 'x', 'q'],
      ['r', 'Mul', 's', 0.7978846],
      ['t', 'Tanh', 'r'],
      ['a', 'Add', 't', 1],
      ['m', 'Mul', 'x', 'a'],
      ['y', 'Mul', 'm', 0.5],
    ])
    const result = recogniseGelu(graph)
    expect(ops(result)).toEqual(['Gelu(x)'])
    expect(result.nodes[0]?.attributes.approximate).toEqual({ kind: 'string', value: 'tanh' })
  })
})
