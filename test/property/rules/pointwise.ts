/** Functions of one element, and of two values that broadcast. */
import type { Growth, Rule, Value } from '../growth.js'
import type { Attribute } from '../random-graph.js'

/** Of one element, with the size that they are made for. */
const FUNCTIONS: readonly (readonly [string, Readonly<Record<string, Attribute>>?])[] = [
  ['Relu'],
  ['Relu'],
  ['LeakyRelu', { alpha: { float: 0.1 } }],
  ['Elu'],
  ['Selu'],
  ['Celu'],
  ['ThresholdedRelu', { alpha: { float: 0.5 } }],
  ['HardSigmoid'],
  ['HardSwish'],
  ['Sigmoid'],
  ['Tanh'],
  ['Softplus'],
  ['Softsign'],
  ['Mish'],
  ['Gelu'],
  ['Erf'],
]

const unary: Rule = (g) => {
  const x = g.pick()
  if (!x) return
  const [op, attributes] = g.random.pick(FUNCTIONS)
  // Whatever its size, some of the time: saturation is a fact of models too.
  const y = g.random.chance(0.8) ? g.brought(x, 1.5) : x
  return g.node(
    op,
    [y],
    y.dims,
    Math.min(y.size, op.includes('ig') || op === 'Tanh' ? 1 : y.size) * 0.7,
    attributes,
  )
}

const swish: Rule = (g) => {
  const x = g.pick()
  if (!x) return
  const y = g.brought(x, 1.5)
  return g.node('Mul', [y, g.node('Sigmoid', [y], y.dims, 0.5)], y.dims, y.size * 0.6)
}

const clip: Rule = (g) => {
  const x = g.pick()
  if (!x) return
  const low = g.scalar(g.random.pick([0, -x.size, -2 * x.size]))
  return g.node('Clip', [x, low, g.scalar(g.random.uniform(1, 3) * x.size)], x.dims, x.size * 0.8)
}

/** The sizes of a constant that broadcasts over x: one number, per channel, all. */
function constantDims(g: Growth, x: Value): readonly number[] {
  const r = g.random
  if (r.chance(0.3)) return []
  if (r.chance(0.3)) return [x.dims.at(-1) as number]
  if (x.dims.length > 2 && r.chance(0.6)) return x.dims.map((d, i) => (i === 1 ? d : 1))
  return x.dims
}

const withConstant: Rule = (g) => {
  const x = g.pick()
  if (!x) return
  const dims = constantDims(g, x)
  const op = g.random.pick(['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min'])
  if (op === 'Mul' || op === 'Div') {
    const factor = g.gain(x.size)
    const spread = g.random.chance(0.3) ? 1 : 0.2
    const c = g.constant(dims, () => {
      const f = factor * 10 ** g.random.normal(spread * 0.5)
      return op === 'Mul' ? f : 1 / f
    })
    return g.node(op, [x, c], x.dims, x.size * factor)
  }
  const size = x.size * 10 ** g.random.uniform(-1, g.random.chance(0.2) ? 2 : 0.3)
  const c = g.normal(dims, size)
  const swapped = op !== 'Sub' && g.random.chance(0.3)
  return g.node(op, swapped ? [c, x] : [x, c], x.dims, Math.hypot(x.size, size))
}

const sameDims = (a: Value) => (v: Value) => v !== a && v.dims.join() === a.dims.join()

/** Residual sums, gates, maxima of two values of the same sizes, or of one with sizes of 1. */
const withValue: Rule = (g) => {
  const a = g.pick()
  const b = a && (g.pick(sameDims(a)) ?? g.pick((v) => v !== a && broadcasts(v, a)))
  if (!a || !b) return
  const op = g.random.pick(['Add', 'Add', 'Add', 'Sub', 'Mul', 'Max', 'Min'])
  const size = op === 'Mul' ? a.size * b.size : Math.hypot(a.size, b.size)
  if (size > 1e6 || size < 1e-6) return
  return g.node(op, g.random.chance(0.5) ? [a, b] : [b, a], a.dims, size)
}

function broadcasts(from: Value, to: Value): boolean {
  const offset = to.dims.length - from.dims.length
  return offset >= 0 && from.dims.every((d, i) => d === 1 || d === to.dims[i + offset])
}

const prelu: Rule = (g) => {
  const x = g.pick((v) => v.dims.length > 1)
  if (!x) return
  const slope = g.constant([x.dims[1] as number, ...x.dims.slice(2).map(() => 1)], () =>
    g.random.uniform(-0.2, 0.5),
  )
  return g.node('PRelu', [x, slope], x.dims, x.size * 0.8)
}

const where: Rule = (g) => {
  const a = g.pick()
  const b = a && g.pick(sameDims(a))
  if (!a || !b) return
  const parts = g.constant(a.dims, () => Number(g.random.chance(0.5)))
  const test = g.node('Cast', [parts], a.dims, 0, { to: 9 })
  return g.node('Where', [test, a, b], a.dims, Math.max(a.size, b.size))
}

export const pointwise: readonly Rule[] = [
  unary,
  unary,
  unary,
  swish,
  clip,
  withConstant,
  withConstant,
  withConstant,
  withValue,
  withValue,
  withValue,
  prelu,
  where,
]
