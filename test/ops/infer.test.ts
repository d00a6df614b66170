import { describe, expect, test } from 'vitest'
import { add, formatDim, symbol } from '../../lib/graph/expr.js'
import { scalar } from '../../lib/graph/tensor.js'
import { type Inference, inferGraph, nestedKey } from '../../lib/ops/core/infer.js'
import { constant, f32, graph, i64, int, ints, node, owned, text } from './graphs.js'

const n = symbol('n')
const h = symbol('h')

function shapeOf(info: Inference, name: string): string {
  return `[${info.types.get(name)?.shape?.map(formatDim).join(', ')}]`
}

function valuesOf(info: Inference, name: string): string[] | undefined {
  return info.values.get(name)?.map(formatDim)
}

describe('sizes', () => {
  test('flow through shape arithmetic into Reshape', () => {
    const info = inferGraph(
      graph({
        inputs: { x: f32(n, 8, h, h) },
        constants: { zero: constant([0], []), minus: constant([-1]), axes: constant([0]) },
        nodes: [
          node('Shape', ['x'], ['shape']),
          node('Gather', ['shape', 'zero'], ['batch'], { axis: int(0) }),
          node('Unsqueeze', ['batch', 'axes'], ['batch1']),
          node('Concat', ['batch1', 'minus'], ['target'], { axis: int(0) }),
          node('Reshape', ['x', 'target'], ['y']),
        ],
        outputs: ['y'],
      }),
    )
    expect(valuesOf(info, 'target')).toEqual(['n', '-1'])
    expect(shapeOf(info, 'y')).toBe('[n, 8*h*h]')
    expect([...info.symbols]).toEqual([
      ['n', { kind: 'input' }],
      ['h', { kind: 'input' }],
    ])
  })

  test('flow through the shortcut of a ResNet that pads its channels', () => {
    const info = inferGraph(
      graph({
        inputs: { x: f32(n, 16, 32, 32) },
        constants: {
          from: constant([1]),
          to: constant([2]),
          first: constant([0]),
          ratio: constant([4]),
          none: constant([0, 0]),
          tail: constant([0, 0]),
          starts: constant([0, 0]),
          ends: constant([2 ** 31 - 1, Number.MAX_SAFE_INTEGER]),
          axes: constant([2, 3]),
          steps: constant([2, 2]),
        },
        nodes: [
          node('Slice', ['x', 'starts', 'ends', 'axes', 'steps'], ['half']),
          node('Shape', ['half'], ['shape']),
          node('Slice', ['shape', 'from', 'to', 'first'], ['channels']),
          node('Div', ['channels', 'ratio'], ['quarter']),
          node('Concat', ['none', 'tail'], ['zeros'], { axis: int(0) }),
          node('Concat', ['first', 'quarter', 'none', 'first', 'quarter', 'tail'], ['pads'], {
            axis: int(0),
          }),
          node('Pad', ['half', 'pads'], ['y']),
        ],
        outputs: ['y', 'zeros'],
      }),
    )
    expect(shapeOf(info, 'half')).toBe('[n, 16, 16, 16]')
    expect(shapeOf(info, 'y')).toBe('[n, 24, 16, 16]')
  })

  test('stay what they are where a Cast to float counts them for Range', () => {
    const info = inferGraph(
      graph({
        inputs: { x: f32(n, 8, h, h) },
        constants: {
          two: constant([2], []),
          zero: scalar('float32', 0),
          step: scalar('float32', -2),
          half: scalar('float32', 0.5),
        },
        nodes: [
          node('Shape', ['x'], ['shape']),
          node('Gather', ['shape', 'two'], ['height'], { axis: int(0) }),
          node('Cast', ['height'], ['float'], { to: int(1) }),
          node('Range', ['float', 'zero', 'step'], ['down']),
          node('Add', ['float', 'half'], ['more']),
        ],
        outputs: ['down', 'more'],
      }),
    )
    expect(shapeOf(info, 'down')).toBe('[(h + 1)//(2)]')
    expect(info.types.get('down')?.dtype).toBe('float32')
    // Floats are no sizes: steps compute them.
    expect([valuesOf(info, 'float'), valuesOf(info, 'more')]).toEqual([undefined, undefined])
  })

  test('are read from the tensor where they are data', () => {
    const info = inferGraph(
      graph({
        inputs: { x: f32(n, 6), target: i64(2) },
        nodes: [node('Reshape', ['x', 'target'], ['y'])],
        outputs: ['y'],
      }),
    )
    expect(info.symbols.get('target[1]')).toEqual({ kind: 'data', value: 'target', index: 1 })
    expect(info.values.has('target')).toBe(false)
    expect(info.reads.get('target')?.map(formatDim)).toEqual(['target[0]', 'target[1]'])
  })

  test('of inputs get names where the file gives expressions', () => {
    const info = inferGraph(
      graph({
        inputs: { mask: i64(add(n, 1), n) },
        nodes: [node('Identity', ['mask'], ['y'])],
        outputs: ['y'],
      }),
    )
    expect(shapeOf(info, 'y')).toBe('[mask_0, n]')
  })

  test('are numbers where overridden', () => {
    const info = inferGraph(
      graph({
        inputs: { x: f32(n, h) },
        nodes: [node('Flatten', ['x'], ['y'], { axis: int(0) })],
        outputs: ['y'],
      }),
      { overrides: { n: 2 } },
    )
    expect(shapeOf(info, 'y')).toBe('[1, 2*h]')
  })

  test('of an Expand that PyTorch writes with Where are told apart', () => {
    const info = inferGraph(
      graph({
        inputs: { x: f32(1, 4), like: f32(n, 4) },
        constants: { minus: constant([-1, 4]), one: constant([-1, -1]), ones: constant([1, 1]) },
        nodes: [
          node('Shape', ['like'], ['shape']),
          node('Equal', ['shape', 'one'], ['open']),
          node('Where', ['open', 'ones', 'shape'], ['target']),
          node('Expand', ['x', 'target'], ['y']),
        ],
        outputs: ['y'],
      }),
    )
    expect(shapeOf(info, 'y')).toBe('[n, 4]')
  })

  test('survive the reversal that PyTorch writes around Pad', () => {
    const info = inferGraph(
      graph({
        inputs: { x: f32(n, 16, 8, 8) },
        constants: {
          pads: constant([0, 0, 0, 0, 8, 8, 0, 0]),
          pairs: constant([-1, 2]),
          first: constant([-1]),
          last: constant([-(2 ** 40)]),
          rows: constant([0]),
          back: constant([-1]),
          flat: constant([-1]),
        },
        nodes: [
          node('Reshape', ['pads', 'pairs'], ['table']),
          node('Slice', ['table', 'first', 'last', 'rows', 'back'], ['reversed']),
          node('Transpose', ['reversed'], ['columns'], { perm: ints(1, 0) }),
          node('Reshape', ['columns', 'flat'], ['order']),
          node('Pad', ['x', 'order'], ['y']),
        ],
        outputs: ['y'],
      }),
    )
    expect(valuesOf(info, 'order')).toEqual(['0', '8', '0', '0', '0', '8', '0', '0'])
    expect(shapeOf(info, 'y')).toBe('[n, 32, 8, 8]')
  })

  test('divide towards zero', () => {
    const info = inferGraph(
      graph({
        inputs: { x: f32(n) },
        constants: { a: constant([-7]), two: constant([2]), one: constant([1]) },
        nodes: [
          node('Div', ['a', 'two'], ['b']),
          node('Shape', ['x'], ['s']),
          node('Sub', ['s', 'one'], ['less']),
          node('Div', ['less', 'two'], ['half']),
        ],
        outputs: ['b', 'half'],
      }),
    )
    expect(valuesOf(info, 'b')).toEqual(['-3'])
    expect(info.values.get('half')).toHaveLength(1)
  })

  test('that overflow their type are no sizes', () => {
    const info = inferGraph(
      graph({
        constants: { a: constant([2 ** 30], [1], 'int32'), b: constant([4], [1], 'int32') },
        nodes: [node('Mul', ['a', 'b'], ['c'])],
        outputs: ['c'],
      }),
    )
    expect(info.values.has('c')).toBe(false)
  })

  test('of Einsum come from its equation', () => {
    const info = inferGraph(
      graph({
        inputs: { a: f32(n, 2, 3), b: f32(n, 3, h) },
        nodes: [node('Einsum', ['a', 'b'], ['y'], { equation: text('bij, bjk -> bik') })],
        outputs: ['y'],
      }),
    )
    expect(shapeOf(info, 'y')).toBe('[n, 2, h]')
  })
})

describe('owned graphs', () => {
  test('know captured values, and If provides sizes that differ', () => {
    const branch = (name: string, count: number) =>
      graph({
        constants: { [`${name}_r`]: constant([count, 1]) },
        nodes: [node('Tile', [`${name}_x`, `${name}_r`], [`${name}_y`])],
        outputs: [`${name}_y`],
        captures: [`${name}_x`],
      })
    const choice = node(
      'If',
      ['c'],
      ['y'],
      { then_branch: owned(branch('t', 1)), else_branch: owned(branch('e', 2)) },
      { captures: ['x'] },
    )
    const info = inferGraph(
      graph({ inputs: { c: { dtype: 'bool', shape: [] }, x: f32(n, 3) }, nodes: [choice], outputs: ['y'] }),
    )
    expect(shapeOf(info, 'y')).toBe('[y.0, 3]')
    expect(info.symbols.get('y.0')).toEqual({ kind: 'dim', value: 'y', axis: 0 })
    const nested = info.nested.get(nestedKey(choice, 'else_branch'))
    expect(nested && shapeOf(nested, 'e_y')).toBe('[2*n, 3]')
    expect(nested?.symbols.get('n')).toEqual({ kind: 'outer' })
  })

  test('Loop gives a symbol to what grows', () => {
    const body = graph({
      inputs: { i: i64(), on: { dtype: 'bool', shape: [] }, acc: f32(1, 2) },
      constants: { row: constant([1, 2], [1, 2], 'float32') },
      nodes: [
        node('Concat', ['acc', 'row'], ['next'], { axis: int(0) }),
        node('Identity', ['on'], ['still']),
        node('ReduceSum', ['row'], ['sum'], { keepdims: int(0) }),
      ],
      outputs: ['still', 'next', 'sum'],
    })
    const loop = node('Loop', ['trips', '', 'start'], ['end', 'sums'], { body: owned(body) })
    const info = inferGraph(
      graph({
        inputs: { trips: i64() },
        constants: { start: constant([0, 0], [1, 2], 'float32') },
        nodes: [loop],
        outputs: ['end', 'sums'],
      }),
    )
    expect(shapeOf(info, 'end')).toBe('[end.0, 2]')
    expect(shapeOf(info, 'sums')).toBe('[sums.0]')
  })
})

describe('errors', () => {
  const cases: [string, () => unknown, RegExp][] = [
    [
      'a declared type that the operators contradict',
      () =>
        inferGraph(
          graph({
            inputs: { x: f32(2, 3) },
            nodes: [node('Relu', ['x'], ['y'])],
            outputs: ['y'],
            declared: { y: f32(2, 4) },
          }),
        ),
      /value "y": the model declares \[2, 4\], but Relu node "Relu_y" makes \[2, 3\]/,
    ],
    [
      'operators that do not exist, all in one',
      () =>
        inferGraph(
          graph({
            inputs: { x: f32(1) },
            nodes: [node('Frobnicate', ['x'], ['y']), node('Scan', ['y'], ['z'])],
            outputs: ['z'],
          }),
        ),
      /Frobnicate \(node "Frobnicate_y"\): not implemented\n {2}Scan \(node "Scan_z"\)/,
    ],
    [
      'shapes that do not broadcast',
      () =>
        inferGraph(
          graph({
            inputs: { a: f32(2, 3), b: f32(2, 4) },
            nodes: [node('Add', ['a', 'b'], ['y'])],
            outputs: ['y'],
          }),
        ),
      /Add node "Add_y": expected shapes that broadcast, got \[2, 3\] and \[2, 4\]/,
    ],
    [
      'a reshape to another number of elements',
      () =>
        inferGraph(
          graph({
            inputs: { x: f32(2, 3) },
            constants: { s: constant([4, 2]) },
            nodes: [node('Reshape', ['x', 's'], ['y'])],
            outputs: ['y'],
          }),
        ),
      /as many elements as the input \[2, 3\] has \(6\), got \[4, 2\] \(8\)/,
    ],
    [
      'an axis that is out of range',
      () =>
        inferGraph(
          graph({
            inputs: { x: f32(2, 3) },
            nodes: [node('Softmax', ['x'], ['y'], { axis: int(2) })],
            outputs: ['y'],
          }),
        ),
      /expected an axis in -2..1, got 2/,
    ],
    [
      'a permutation that is none',
      () =>
        inferGraph(
          graph({
            inputs: { x: f32(2, 3) },
            nodes: [node('Transpose', ['x'], ['y'], { perm: ints(0, 0) })],
            outputs: ['y'],
          }),
        ),
      /expected attribute "perm" to be a permutation of 2 axes, got \[0, 0\]/,
    ],
    [
      'too few inputs',
      () => inferGraph(graph({ inputs: { x: f32(2) }, nodes: [node('Add', ['x'], ['y'])], outputs: ['y'] })),
      /Add node "Add_y": expected 2 inputs, got 1/,
    ],
    [
      'axes that only the run knows, naming their value',
      () =>
        inferGraph(
          graph({
            inputs: { x: f32(2, 3), axes: i64(1) },
            nodes: [node('ReduceSum', ['x', 'axes'], ['y'])],
            outputs: ['y'],
          }),
        ),
      /the axes \(input 1, "axes"\) to be known when the model is loaded/,
    ],
  ]
  test.each(cases)('%s', (_, run, message) => {
    expect(run).toThrow(message)
  })

  // In time that grows with their number: a square of it would be past the time limit of a test.
  test('100,000 nodes', () => {
    const nodes = Array.from({ length: 100_000 }, (_, i) => node('Relu', [`v${i}`], [`v${i + 1}`]))
    const { types } = inferGraph(graph({ inputs: { v0: f32(n, 3) }, nodes, outputs: ['v100000'] }))
    expect(types.get('v100000')).toEqual(f32(n, 3))
  })
})
