import { describe, expect, test } from 'vitest'
import { finishPlan } from '../../lib/compile/finish.js'
import { type Lowered, lowerGraph } from '../../lib/compile/lower/lower.js'
import { formatDim, symbol } from '../../lib/graph/expr.js'
import type { Graph } from '../../lib/graph/graph.js'
import { inferGraph } from '../../lib/ops/core/infer.js'
import type { Draft } from '../../lib/plan/draft.js'
import type { PlanStep } from '../../lib/plan/plan.js'
import { constant, f32, graph, i64, int, ints, node, owned, text } from './graphs.js'

const n = symbol('n')

function lower(g: Graph): Lowered {
  const finish = (draft: Draft, symbols: Lowered['symbols']) =>
    finishPlan(draft, symbols, { activations: 'uint8', fuse: true })
  return lowerGraph(g, inferGraph(g), { finish })
}

/** "Step[sizes of the first output] attribute=values", one per step but for the copies to the outputs. */
function print({ draft }: Lowered): string[] {
  return draft.steps.filter((s) => s.op !== 'Copy').map((s) => `${s.op}${sizes(draft, s)}${attributes(s)}`)
}

function sizes(draft: Draft, step: PlanStep): string {
  return `[${draft.tensors[step.outputs[0] ?? -1]?.dims.map(formatDim).join(',')}]`
}

function attributes(step: PlanStep): string {
  return Object.entries(step.attributes)
    .flatMap(([name, a]) =>
      a.kind === 'plan'
        ? []
        : [` ${name}=${a.value.map((v) => (typeof v === 'object' ? formatDim(v) : v)).join(',')}`],
    )
    .join('')
}

describe('layouts', () => {
  const conv = node('Conv', ['x', 'w'], ['c'], { kernel_shape: ints(1, 1) })
  const parts = {
    inputs: { x: f32(n, 3, 8, 8) },
    constants: { w: constant(Array(12).fill(0), [4, 3, 1, 1], 'float32') },
  }

  test('of a convolution are kept by what follows it', () => {
    const lowered = lower(
      graph({
        ...parts,
        constants: { ...parts.constants, starts: constant([0]), ends: constant([4]), axes: constant([2]) },
        nodes: [
          conv,
          node('Sigmoid', ['c'], ['s']),
          node('Concat', ['c', 's'], ['j'], { axis: int(1) }),
          node('Slice', ['j', 'starts', 'ends', 'axes'], ['half']),
          node('Softmax', ['half'], ['p'], { axis: int(1) }),
          node('Transpose', ['p'], ['y'], { perm: ints(0, 2, 3, 1) }),
        ],
        outputs: ['y'],
      }),
    )
    const steps = print(lowered).filter((s) => !s.startsWith('Conv'))
    expect(steps).toEqual([
      'Transpose[n,8,8,3] perm=0,2,3,1',
      'Unary[n,8,8,4] fns=sigmoid params=',
      'Concat[n,8,8,8] axis=3',
      'Slice[n,4,8,8] starts=0,0,0,0 steps=1,1,1,1',
      'Softmax[n,4,8,8] axis=3 log=0',
    ])
  })
})

describe('steps', () => {
  test('of Einsum are a product between transposes', () => {
    const lowered = lower(
      graph({
        inputs: { a: f32(2, 5, 3), b: f32(2, 3, 4) },
        nodes: [node('Einsum', ['a', 'b'], ['y'], { equation: text('bij,bjk->bki') })],
        outputs: ['y'],
      }),
    )
    expect(print(lowered)).toEqual(['MatMul[2,5,4]', 'Transpose[2,4,5] perm=0,2,1'])
  })

  test('of NonZero count first; the count is read', () => {
    const lowered = lower(
      graph({ inputs: { x: f32(2, 3) }, nodes: [node('NonZero', ['x'], ['y'])], outputs: ['y'] }),
    )
    expect(print(lowered)).toEqual(['NonZeroCount[1]', 'NonZero[2,y.1]'])
    expect(lowered.symbols.get('y.1')?.kind).toBe('data')
  })

  test('of Mean add up and divide', () => {
    const lowered = lower(
      graph({
        inputs: { a: f32(2, 3), b: f32(3), c: f32(2, 1) },
        nodes: [node('Mean', ['a', 'b', 'c'], ['y'])],
        outputs: ['y'],
      }),
    )
    expect(print(lowered)).toEqual(['Binary[2,3] fn=add', 'Binary[2,3] fn=add', 'Binary[2,3] fn=div'])
  })

  test('of Clip are a function where its bounds are constant', () => {
    const inputs = { x: f32(2, 3), high: f32() }
    const constants = { low: constant([0], [], 'float32'), six: constant([6], [], 'float32') }
    const relu6 = graph({
      inputs,
      constants,
      nodes: [node('Clip', ['x', 'low', 'six'], ['y'])],
      outputs: ['y'],
    })
    expect(print(lower(relu6))).toEqual(['Unary[2,3] fns=clip params=0,6'])
    const open = graph({
      inputs,
      constants,
      nodes: [node('Clip', ['x', 'low', 'high'], ['y'])],
      outputs: ['y'],
    })
    expect(print(lower(open))).toEqual(['Clip[2,3]'])
  })

  test('of Reshape, Squeeze and Transpose of one axis are none', () => {
    const lowered = lower(
      graph({
        inputs: { x: f32(n, 6, 1) },
        constants: { s: constant([0, 3, 2, 1]), axes: constant([-1]) },
        nodes: [
          node('Reshape', ['x', 's'], ['r']),
          node('Squeeze', ['r', 'axes'], ['q']),
          node('Identity', ['q'], ['y']),
        ],
        outputs: ['y'],
      }),
    )
    expect(print(lowered)).toEqual([])
  })

  test('of Loop are one, which provides its outputs', () => {
    const body = graph({
      inputs: { i: i64(), on: { dtype: 'bool', shape: [] }, acc: f32(n) },
      nodes: [node('Add', ['acc', 'outer'], ['next']), node('Identity', ['on'], ['still'])],
      outputs: ['still', 'next'],
      captures: ['outer'],
    })
    const loop = node('Loop', ['trips', '', 'start'], ['end'], { body: owned(body) }, { captures: ['step'] })
    const lowered = lower(
      graph({ inputs: { trips: i64(), start: f32(n), step: f32(n) }, nodes: [loop], outputs: ['end'] }),
    )
    expect(print(lowered)).toEqual(['Loop[n] carried=1 symbols=n'])
    const step = lowered.draft.steps.find((s) => s.op === 'Loop')
    expect(step?.inputs).toHaveLength(4)
    expect(lowered.draft.tensors[step?.outputs[0] ?? -1]?.kind).toBe('provided')
  })
})
