import { describe, expect, it } from 'vitest'
import {
  compact,
  mergeEqual,
  removeUnread,
  writeOutputsDirectly,
} from '../../../lib/compile/steps/cleanup.js'
import { parseDraft, rewritten, trimmed } from '../../helpers/plan-text.js'

describe('mergeEqual', () => {
  it('computes once what two steps compute', () => {
    const before = `
      input x: float32[4]
      constant s: float32[] = 0.5
      constant z: uint8[] = 3
      constant w: float32[] = 0.5
      a: uint8[4] = QuantizeLinear(x: x, y: (s, z)) convert #a
      b: uint8[4] = QuantizeLinear(x: x, y: (w, z)) convert #b
      output y: uint8[4] = QBinary(a: a(s, z), b: b(s, z), y: (s, z)) { fn: add } integer
      return y`
    expect(rewritten(mergeEqual, before)).toBe(
      trimmed(`
      input x: float32[4]
      constant s: float32[] = 0.5
      constant z: uint8[] = 3
      a: uint8[4] = QuantizeLinear(x: x, y: (s, z)) convert #a
      alias b: uint8[4] of a
      output y: uint8[4] = QBinary(a: a(s, z), b: b(s, z), y: (s, z)) { fn: add } integer
      return y`),
    )
  })

  it('tells attributes, sizes and observers apart', () => {
    const before = trimmed(`
      input x: float32[4]
      a: float32[4] = Unary(x: x) { fns: [tanh] } float
      b: float32[4] = Unary(x: x) { fns: [exp] } float
      c: float32[2, 4] = Expand(x: x) data
      d: float32[3, 4] = Expand(x: x) data
      state o: float64[9] = ObserveHistogram(x: x) { bins: 2 } data
      state p: float64[9] = ObserveHistogram(x: x) { bins: 2 } data
      output y: float32[7, 4] = Concat(x: [a, b, c, d]) data
      return y`)
    expect(rewritten(mergeEqual, before)).toBe(before)
  })
})

describe('removeUnread', () => {
  it('takes steps away that no output needs, and keeps those that write states and what symbols are read from', () => {
    const before = `
      input x: float32[4]
      a: float32[4] = Unary(x: x) { fns: [tanh] } float
      b: float32[4] = Unary(x: a) { fns: [exp] } float
      state o: float64[9] = ObserveHistogram(x: x) { bins: 2 } data
      n: int64[1] = NonZeroCount(x: x) data
      output y: float32[4] = Unary(x: x) { fns: [abs] } float
      keep n
      return y`
    const after = before.split('\n').filter((line) => !/^\s*[ab]:/.test(line))
    expect(rewritten(removeUnread, before)).toBe(trimmed(after.join('\n')))
  })
})

describe('writeOutputsDirectly', () => {
  it('saves the copy of a result into an output', () => {
    const before = `
      input x: float32[4]
      a: float32[4] = Unary(x: x) { fns: [tanh] } float #tanh
      output y: float32[4] = Copy(x: a) data
      return y`
    expect(rewritten(writeOutputsDirectly, before)).toBe(
      trimmed(`
      input x: float32[4]
      output y: float32[4] = Unary(x: x) { fns: [tanh] } float #tanh
      return y`),
    )
  })

  it('copies inputs, and what is read besides', () => {
    const before = trimmed(`
      input x: float32[4]
      a: float32[4] = Unary(x: x) { fns: [tanh] } float
      output y: float32[4] = Copy(x: a) data
      output z: float32[4] = Unary(x: a) { fns: [exp] } float
      output i: float32[4] = Copy(x: x) data
      return y, z, i`)
    expect(rewritten(writeOutputsDirectly, before)).toBe(before)
  })
})

describe('compact', () => {
  it('leaves out tensors that nothing names, aliases after what they are an alias of', () => {
    const text = `
      constant unused: float32[] = 1
      input x: float32[4]
      alias b: float32[2, 2] of x
      output y: float32[2, 2] = Copy(x: b) data
      return y`
    const draft = compact(parseDraft(text))
    expect(draft.tensors.map((t) => t.name)).toEqual(['x', 'b', 'y'])
    expect(draft.tensors[1]?.of).toBe(0)
    expect(draft.outputs).toEqual([2])
    expect(rewritten(compact, text)).toBe(trimmed(text).replace('constant unused: float32[] = 1\n', ''))
  })
})
