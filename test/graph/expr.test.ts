import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  add,
  ceilDiv,
  type Dim,
  dimKey,
  floorDiv,
  formatDim,
  max,
  min,
  mod,
  mul,
  sameDim,
  sub,
  substitute,
  symbol,
  symbolsOf,
} from '../../lib/graph/expr.js'

/** The tree an expression is built from, evaluated on its own in exact integers. */
type Tree = { op: 'n'; value: number } | { op: 's'; name: string } | { op: Op; a: Tree; b: Tree }
type Op = keyof typeof BUILD

const BUILD = { add, sub, mul, floorDiv, ceilDiv, mod, min, max }

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', maxDepth: 4, withCrossShrink: true },
    fc.integer({ min: -9, max: 9 }).map((value): Tree => ({ op: 'n', value })),
    fc.constantFrom('n', 'm', 'h').map((name): Tree => ({ op: 's', name })),
    fc.record({ op: fc.constantFrom<Op>('add', 'sub', 'mul', 'min', 'max'), a: tie('tree'), b: tie('tree') }),
    fc.record({
      op: fc.constantFrom<Op>('floorDiv', 'ceilDiv', 'mod'),
      a: tie('tree'),
      b: fc.integer({ min: 1, max: 9 }).map((value): Tree => ({ op: 'n', value })),
    }),
  ),
}))

const sizes = fc.record({ n: fc.nat(50), m: fc.nat(50), h: fc.nat(50) })

function build(t: Tree): Dim {
  if (t.op === 'n') return t.value
  return t.op === 's' ? symbol(t.name) : BUILD[t.op](build(t.a), build(t.b))
}

function floor(a: bigint, b: bigint): bigint {
  return a / b - (a % b !== 0n && a < 0n !== b < 0n ? 1n : 0n)
}

function minimum(a: bigint, b: bigint): bigint {
  const aIsLess = a < b
  return aIsLess ? a : b
}

function evaluate(t: Tree, at: Record<string, number>): bigint {
  if (t.op === 'n') return BigInt(t.value)
  if (t.op === 's') return BigInt(at[t.name] as number)
  const a = evaluate(t.a, at)
  const b = evaluate(t.b, at)
  switch (t.op) {
    case 'add':
      return a + b
    case 'sub':
      return a - b
    case 'mul':
      return a * b
    case 'floorDiv':
      return floor(a, b)
    case 'ceilDiv':
      return floor(a + b - 1n, b)
    case 'mod':
      return a - floor(a, b) * b
    case 'min':
      return minimum(a, b)
    case 'max':
      return -minimum(-a, -b)
  }
}

const small = (v: bigint) => v > -(2n ** 52n) && v < 2n ** 52n

describe('sizes as expressions', () => {
  test('have the value of what they were built from', () => {
    fc.assert(
      fc.property(tree, sizes, (t, at) => {
        const expected = evaluate(t, at)
        fc.pre(small(expected))
        const got = substitute(build(t), (name) => at[name as keyof typeof at])
        expect(typeof got).toBe('number')
        expect(BigInt(got as number)).toBe(expected)
      }),
      { numRuns: 2000 },
    )
  })

  test('with equal keys have equal values', () => {
    fc.assert(
      fc.property(tree, tree, sizes, (p, q, at) => {
        const [a, b] = [build(p), build(q)]
        fc.pre(sameDim(a, b))
        const value = (name: string) => at[name as keyof typeof at]
        expect(substitute(a, value)).toBe(substitute(b, value))
      }),
    )
  })

  test('are the same however sums and products are ordered', () => {
    fc.assert(
      fc.property(tree, tree, tree, (p, q, r) => {
        const [a, b, c] = [build(p), build(q), build(r)]
        expect(dimKey(add(a, add(b, c)))).toBe(dimKey(add(add(c, a), b)))
        expect(dimKey(mul(a, b))).toBe(dimKey(mul(b, a)))
        expect(sub(add(a, b), b)).toEqual(a)
        expect(sameDim(min(a, b), min(b, a)) && sameDim(max(a, b), max(b, a))).toBe(true)
      }),
    )
  })

  test('divide exactly where every term does', () => {
    const [n, m] = [symbol('n'), symbol('m')]
    expect(floorDiv(mul(6, mul(n, m)), mul(2, n))).toEqual(mul(3, m))
    expect(floorDiv(add(mul(4, n), 8), 4)).toEqual(add(n, 2))
    expect(mod(mul(4, n), 2)).toBe(0)
    expect(floorDiv(0, n)).toBe(0)
    expect(formatDim(add(mul(2, n), 1))).toBe('2*n + 1')
  })

  test('of a name that looks like an expression equal only themselves', () => {
    const odd = symbol('2*n')
    expect(sameDim(odd, mul(2, symbol('n')))).toBe(false)
    expect(sameDim(symbol('3'), 3)).toBe(false)
    expect(formatDim(odd)).toBe('2*n')
    expect([...symbolsOf(add(odd, symbol('h')))]).toEqual(['2*n', 'h'])
    expect(substitute(odd, (name) => (name === '2*n' ? 5 : undefined))).toBe(5)
  })
})
