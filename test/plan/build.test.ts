/** Builders, operands by name, what moves, and the frame of step passes. */
import { describe, expect, it } from 'vitest'
import { ints, texts } from '../../lib/plan/attributes.js'
import { steps, takesAttribute } from '../../lib/plan/build.js'
import type { Draft } from '../../lib/plan/draft.js'
import { fillPosition, movedInputs } from '../../lib/plan/moves.js'
import {
  hasOperand,
  operand,
  parameters,
  positionOf,
  quantizedOperand,
  quantizedPositions,
  withOperand,
  withQuantized,
} from '../../lib/plan/operands.js'
import type { PlanStep } from '../../lib/plan/plan.js'
import { rewriteSteps } from '../../lib/plan/rewrite.js'

const x = { tensor: 0, scale: 1, zeroPoint: 2 }
const w = { tensor: 3, scale: 4, zeroPoint: undefined }
const step = (built: ReturnType<typeof steps.QConv>, outputs = [9]): PlanStep => ({
  ...built,
  outputs,
  nodes: [],
})

describe('builders', () => {
  it('put operands where the engine looks for them, absent ones at the end left out', () => {
    const built = steps.QConv({ x, w, y: { scale: 5, zeroPoint: 6 } }, { group: ints(2) })
    expect(built).toEqual({
      op: 'QConv',
      inputs: [0, 1, 2, 3, 4, -1, 5, 6],
      attributes: { group: ints(2) },
      kind: 'integer',
    })
    expect(steps.QConv({ x, w, bias: 7 }).inputs).toEqual([0, 1, 2, 3, 4, -1, -1, -1, 7])
    expect(steps.QConv({ x, w, table: 8 }).inputs[14]).toBe(8)
  })

  it('repeat what may be any number of tensors', () => {
    expect(steps.Concat({ x: [4, 5, 6] }).inputs).toEqual([4, 5, 6])
    const y = { scale: 8, zeroPoint: undefined }
    expect(steps.QConcat({ y, x: [x, w] }).inputs).toEqual([8, -1, 0, 1, 2, 3, 4, -1])
    expect(steps.Loop({ values: [7] }, { body: {} as never, carried: ints(1) }).inputs).toEqual([-1, -1, 7])
  })

  it('leave out attributes that are undefined', () => {
    expect(steps.Softmax({ x: 0 }, { axis: undefined, log: ints(1) }).attributes).toEqual({ log: ints(1) })
  })

  it('refuse what the table does not have', () => {
    // @ts-expect-error no such operand
    steps.Softmax({ y: 0 })
    // @ts-expect-error no such attribute
    steps.Softmax({ x: 0 }, { axes: ints(1) })
    // @ts-expect-error an attribute of another kind
    steps.Softmax({ x: 0 }, { axis: texts('1') })
    // @ts-expect-error a required operand is missing
    steps.QConv({ x })
    // @ts-expect-error a required attribute is missing
    steps.Transpose({ x: 0 })
  })

  it('know which step takes which attribute', () => {
    expect(takesAttribute('Conv', 'lo')).toBe(true)
    expect(takesAttribute('ConvTranspose', 'lo')).toBe(false)
    expect(takesAttribute('Nothing', 'lo')).toBe(false)
  })
})

describe('operands by name', () => {
  const conv = step(steps.QConv({ x, w, y: { scale: 5, zeroPoint: 6 } }))

  it('are read with their parameters', () => {
    expect(operand(conv, 'w')).toBe(3)
    expect(operand(conv, 'residual')).toBe(-1)
    expect(quantizedOperand(conv, 'w')).toEqual({ tensor: 3, scale: 4, zeroPoint: -1 })
    expect(parameters(conv, 'y')).toEqual({ scale: 5, zeroPoint: 6 })
    expect(positionOf('QMatMul', 'table')).toBe(14)
    expect(hasOperand('QMatMul', 'residual')).toBe(true)
    expect(hasOperand('MatMul', 'residual')).toBe(false)
    expect(() => operand(conv, 'indices')).toThrow("step QConv has no operand 'indices'")
  })

  it('are replaced, and what lies between is absent', () => {
    expect(withOperand(conv, 'x', 11).inputs).toEqual([11, 1, 2, 3, 4, -1, 5, 6])
    const summed = withQuantized(conv, 'residual', { tensor: 20, scale: 21, zeroPoint: undefined })
    expect(summed.inputs).toEqual([0, 1, 2, 3, 4, -1, 5, 6, -1, 20, 21, -1])
    expect(conv.inputs).toHaveLength(8)
  })

  it('of which quantized ones are activations', () => {
    expect(quantizedPositions(conv)).toEqual([0, 9])
    const joined = step(steps.QConcat({ y: { scale: 8, zeroPoint: 9 }, x: [x, w] }))
    expect(quantizedPositions(joined)).toEqual([2, 5])
  })
})

describe('what moves', () => {
  it('is told by the table', () => {
    expect(movedInputs(step(steps.Concat({ x: [4, 5] })))).toEqual([0, 1])
    expect(movedInputs(step(steps.Gather({ x: 4, indices: 5 })))).toEqual([0])
    expect(movedInputs(step(steps.Softmax({ x: 4 })))).toEqual([])
  })

  it('depends on attributes and on further outputs', () => {
    const pool = (fn: string, outputs?: number[]) =>
      step(steps.Pool({ x: 4 }, { fn: texts(fn), kernel: ints(2) }), outputs)
    expect(movedInputs(pool('max'))).toEqual([0])
    expect(movedInputs(pool('max', [9, -1]))).toEqual([0])
    expect(movedInputs(pool('max', [9, 10]))).toEqual([])
    expect(movedInputs(pool('average'))).toEqual([])
    expect(movedInputs(step(steps.Resize({ x: 4 })))).toEqual([0])
    expect(movedInputs(step(steps.Resize({ x: 4 }, { fn: texts('cubic') })))).toEqual([])
  })

  it('may be written beside a number', () => {
    const pad = (mode: string) => step(steps.Pad({ x: 4 }, { pads: ints(0, 1), mode: texts(mode) }))
    expect(fillPosition(pad('constant'))).toBe(1)
    expect(fillPosition(pad('edge'))).toBe(-1)
    expect(fillPosition(step(steps.Copy({ x: 4 })))).toBe(-1)
  })
})

describe('rewriteSteps', () => {
  const tensor = (name: string) => ({ name, dtype: 'float32', dims: [], kind: 'scratch' }) as const
  const chain = [0, 1, 2].map((t) => step(steps.Copy({ x: t }), [t + 1]))
  const draft: Draft = {
    tensors: ['a', 'b', 'c', 'd'].map(tensor),
    steps: chain,
    inputs: [0],
    outputs: [3],
    kept: [],
  }
  const [first, second, third] = chain as [PlanStep, PlanStep, PlanStep]

  it('gives the draft back where nothing changed', () => {
    expect(rewriteSteps(draft, () => undefined)).toBe(draft)
    expect(rewriteSteps(draft, (s) => s)).toBe(draft)
  })

  it('replaces a step by one, by several, by none', () => {
    const other = step(steps.Expand({ x: 0 }), [1])
    const result = rewriteSteps(draft, (s) => (s === first ? other : s === second ? [s, other] : []))
    expect(result.steps).toEqual([other, second, other])
  })

  it('removes and replaces other steps, and says what stands for them', () => {
    const result = rewriteSteps(draft, (s, rewriting) => {
      if (s !== third) return undefined
      rewriting.remove(first)
      rewriting.replace(second, [withOperand(second, 'x', 0)])
      expect(rewriting.isGone(first)).toBe(true)
      expect(rewriting.isGone(third)).toBe(false)
      expect(rewriting.current(second).inputs).toEqual([0])
      expect(rewriting.index.producer(1)).toBe(first)
      return undefined
    })
    expect(result.steps.map((s) => s.inputs)).toEqual([[0], [2]])
  })
})
