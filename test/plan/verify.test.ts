/** The verifier against the table of steps: what it lets pass, and what it says of what it does not. */
import { describe, expect, it } from 'vitest'
import { isAllowed, runChecked } from '../../lib/compile/steps/check.js'
import { runStepPasses } from '../../lib/compile/steps/index.js'
import { ints, texts } from '../../lib/plan/attributes.js'
import { steps } from '../../lib/plan/build.js'
import type { Draft } from '../../lib/plan/draft.js'
import type { PlanStep, PlanTensor } from '../../lib/plan/plan.js'
import { verifyPlan } from '../../lib/plan/verify.js'
import { parseDraft } from '../helpers/plan-text.js'

const sound = `
  input x: uint8[2, 2]
  constant s: float32[] = 0.5
  constant z: uint8[] = 3
  f: float32[2, 2] = DequantizeLinear(x: x(s, z)) convert #dq
  g: float32[2, 2] = Unary(x: f) { fns: [tanh] } float #tanh
  alias h: float32[4] of g
  output y: float32[4] = Copy(x: h) data
  return y`

function changed(change: (tensors: PlanTensor[], steps: PlanStep[]) => void): Draft {
  const draft = parseDraft(sound)
  const made = [...draft.steps]
  change(draft.tensors, made)
  return { ...draft, steps: made }
}

/** The draft with other properties in the step at a position. */
const step = (at: number, with_: Partial<PlanStep>) =>
  changed((_, list) => {
    list[at] = { ...(list[at] as PlanStep), ...with_ }
  })
const tensor = (at: number, with_: Partial<PlanTensor>) =>
  changed((list) => {
    list[at] = { ...(list[at] as PlanTensor), ...with_ }
  })

describe('verifyPlan', () => {
  it('lets a sound draft pass', () => expect(() => verifyPlan(parseDraft(sound))).not.toThrow())

  it.each<[string, Draft, string]>([
    ['an unknown step', step(1, { op: 'Magic' }), 'step Magic of tanh: expected a step of the table'],
    ['too many inputs', step(1, { inputs: [3, 3] }), 'expected at most 1 inputs, got 2'],
    ['a missing input', step(1, { inputs: [-1] }), "expected input 'x', got none"],
    ['a missing output', step(1, { outputs: [-1] }), "expected output 'y', got none"],
    ['a missing scale', step(0, { inputs: [0] }), "expected input 'x_scale', got none"],
    ['a tensor out of range', step(1, { inputs: [99] }), 'expected a tensor below 7, got 99'],
    ['an element type', step(0, { inputs: [3, 1, 2] }), "expected 'x' of type uint8 or int8"],
    [
      'another type than its like',
      tensor(2, { dtype: 'int8' }),
      "expected 'x_zp' of type uint8, as 'x', got int8",
    ],
    ['a rank', step(1, { ...steps.Trilu({ x: 5 }), inputs: [1] }), "expected 'x' of rank 2 to 8, got 0"],
    [
      'an unknown attribute',
      step(1, { attributes: { fns: texts(), axis: ints(1) } }),
      "expected no attribute 'axis'",
    ],
    ['a missing attribute', step(1, { attributes: {} }), "step Unary of tanh: expected attribute 'fns'"],
    [
      'an attribute of another kind',
      step(0, { attributes: { axis: texts('1') } }),
      "attribute 'axis': expected ints, got texts",
    ],
    [
      'two values for one',
      step(0, { attributes: { axis: ints(1, 2) } }),
      "attribute 'axis': expected one value, got 2",
    ],
    [
      'a text that is not allowed',
      step(1, {
        ...steps.Softmax({ x: 3 }),
        op: 'Cumulative',
        inputs: [3, 3],
        attributes: { fn: texts('max') },
      }),
      "expected 'axis' of type int32 or int64, got float32",
    ],
    [
      'a read before the tensor is made',
      step(0, { ...steps.Unary({ x: 4 }, { fns: texts() }) }),
      'to be made before it is read',
    ],
    ['a tensor made twice', step(1, { outputs: [3] }), 'to be made once'],
    [
      'a constant that is written',
      step(1, { outputs: [1] }),
      'expected to write a scratch, output or provided tensor',
    ],
    ['an alias of itself', tensor(5, { of: 5 }), 'expected an alias that is none of itself'],
    ['an alias of nothing', tensor(5, { of: undefined }), 'expected the tensor that it is an alias of'],
    ['a constant of another length', tensor(1, { dims: [2] }), 'expected 8 bytes, got 4'],
    ['an input that is none', tensor(0, { kind: 'scratch' }), "of kind 'input'"],
  ])('refuses %s', (_, draft, message) => {
    expect(() => verifyPlan(draft)).toThrow(message)
  })

  it('refuses a text that the table does not list', () => {
    const draft = step(1, { ...steps.Reduce({ x: 3 }, { fn: texts('median') }) })
    expect(() => verifyPlan(draft)).toThrow("attribute 'fn': expected sum, mean, max")
  })

  it('refuses a symbol where the engine wants a constant', () => {
    const draft = parseDraft(`
      input x: float32[N]
      output y: float32[N] = Softmax(x: x) { axis: N } float
      return y`)
    expect(() => verifyPlan(draft)).toThrow("attribute 'axis': expected constants, got a symbol")
  })

  it('lets a state be read before the step that adds to it, not after', () => {
    const observed = (lines: string) =>
      parseDraft(`
      input x: float32[4]
      state o: float64[9]
      ${lines}
      return y`)
    const write = 'state o: float64[9] = ObserveHistogram(x: x) { bins: 2 } data'
    const read = 'output y: float64[9] = Copy(x: o) data'
    const [before, after] = [observed(`${read}\n${write}`), observed(`${write}\n${read}`)]
    // The parser makes a tensor per line: the step writes the state that is read.
    const joined = (draft: Draft): Draft => {
      const state = draft.tensors.findIndex((t) => t.kind === 'state')
      const own = (t: number) => (draft.tensors[t]?.kind === 'state' ? state : t)
      const list = draft.steps.map((s) => ({ ...s, inputs: s.inputs.map(own), outputs: s.outputs.map(own) }))
      return { ...draft, steps: list }
    }
    expect(() => verifyPlan(joined(before))).not.toThrow()
    expect(() => verifyPlan(joined(after))).toThrow("state 'o' (1) not to be read after its write")
  })

  it('looks into nested plans', () => {
    const value = { symbols: [], tensors: [], inputs: [0], outputs: [], steps: [] }
    const plan = { kind: 'plan', value } as const
    // biome-ignore lint/suspicious/noThenProperty: the name that the engine reads; never awaited
    const draft = step(1, steps.If({ condition: 0, captures: [] }, { then: plan, else: plan }))
    const bool = {
      ...draft,
      tensors: draft.tensors.map((t, i) => (i === 0 ? { ...t, dtype: 'bool' as const } : t)),
    }
    expect(() => verifyPlan({ ...bool, steps: bool.steps.slice(1) })).toThrow(
      'the plan: expected a tensor below 0, got 0',
    )
  })
})

describe('after each pass', () => {
  const options = { activations: 'uint8', fuse: true } as const

  it('a failure names the pass and shows the text before and after', () => {
    const breaks = { name: 'breakIt', pass: (draft: Draft) => ({ ...draft, steps: draft.steps.slice(1) }) }
    const run = () => runChecked(breaks, parseDraft(sound), options)
    expect(run).toThrow(
      /^Pass breakIt: step Unary of tanh: expected tensor 'f' \(3\) to be made before it is read\n/,
    )
    expect(run).toThrow(/Before breakIt:\ninput x: uint8\[2, 2\]\n[\s\S]*After breakIt:\n/)
  })

  it('a pass that changes tensors in place is verified all the same', () => {
    const breaks = {
      name: 'breakIt',
      pass: (draft: Draft) => {
        draft.tensors[3] = { ...(draft.tensors[3] as PlanTensor), dtype: 'int64' }
        return draft
      },
    }
    const run = () => runChecked(breaks, parseDraft(sound), options)
    expect(run).toThrow("Pass breakIt: step DequantizeLinear of dq: expected 'y' of type float32, got int64")
    expect(run).toThrow('f: float32[2, 2] = DequantizeLinear')
  })

  it('but what lowering made that the engine will refuse', () => {
    expect(isAllowed(parseDraft(sound))).toBe(true)
    expect(isAllowed(tensor(4, { dtype: 'int4' }))).toBe(false)
  })

  it('of a plan that is compiled', () => {
    const runs: string[] = []
    const spy = {
      isAllowed,
      runChecked: (...args: Parameters<typeof runChecked>) => {
        runs.push(args[0].name)
        return runChecked(...args)
      },
    }
    runStepPasses(parseDraft(sound), { ...options, check: spy })
    expect(runs).toContain('mergeUnary')
    expect(runs.at(-1)).toBe('compact')
    runs.length = 0
    runStepPasses(parseDraft(sound), { ...options, fuse: false, check: spy })
    expect(runs).toEqual(['removeUnread', 'compact'])
  })
})
