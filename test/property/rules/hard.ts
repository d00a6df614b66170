/** Float functions that forgive little: roots, logarithms, powers, quotients, periodic functions, norms in all spellings. */
import type { Growth, Rule, Value } from '../growth.js'

const DIVISOR = -1

/**
 * |x| + a share of its size, or another form of something positive. `least` is the decade of that share: a divisor that comes
 * near 0 makes numbers without a variance, of which no samples tell the range.
 */
function positive(g: Growth, x: Value, least = -3): Value {
  const floor = g.scalar(x.size * 10 ** g.random.uniform(least, -0.3))
  const form = g.random.integer(0, 2)
  if (form === 0) return g.node('Add', [g.node('Abs', [x], x.dims, x.size), floor], x.dims, x.size)
  if (form === 1) return g.node('Max', [g.node('Relu', [x], x.dims, x.size), floor], x.dims, x.size)
  const scaled = g.brought(x, 1)
  const square = g.node('Mul', [scaled, scaled], x.dims, 1)
  return g.node('Add', [square, g.scalar(10 ** g.random.uniform(least, -0.3))], x.dims, 1.4)
}

const root: Rule = (g) => {
  const x = g.pick()
  if (!x) return
  const p = positive(g, x)
  return g.node('Sqrt', [p], p.dims, Math.sqrt(p.size))
}

const logarithm: Rule = (g) => {
  const x = g.pick()
  if (!x) return
  const p = positive(g, x)
  return g.node('Log', [p], p.dims, Math.max(1, Math.abs(Math.log(p.size))))
}

const exponential: Rule = (g) => {
  const x = g.pick()
  if (!x) return
  const y = g.brought(x, 0.7)
  return g.node('Exp', [g.random.chance(0.5) ? g.node('Neg', [y], y.dims, y.size) : y], y.dims, 1.5)
}

const power: Rule = (g) => {
  const x = g.pick()
  if (!x) return
  const exponent = g.random.pick([0.5, 0.33, -0.5, 1.5, 2, 3])
  const p = exponent > 1.9 ? g.brought(x, 1) : positive(g, x, exponent < 0 ? DIVISOR : undefined)
  const size = exponent > 0 ? p.size ** exponent : p.size ** exponent * 3
  if (size > 1e5 || size < 1e-5) return
  return g.node('Pow', [p, g.scalar(exponent)], p.dims, size)
}

const quotient: Rule = (g) => {
  const a = g.pick()
  const b = a && g.pick((v) => v.dims.join() === a.dims.join())
  if (!a || !b) return
  const p = positive(g, b, DIVISOR)
  const size = (2 * a.size) / p.size
  if (size > 1e5 || size < 1e-5) return
  if (g.random.chance(0.7)) return g.node('Div', [a, p], a.dims, size)
  return g.node('Mul', [a, g.node('Reciprocal', [p], p.dims, 2 / p.size)], a.dims, size)
}

const periodic: Rule = (g) => {
  const x = g.pick()
  if (!x) return
  const op = g.random.pick(['Sin', 'Cos', 'Atan'])
  const y = g.brought(x, g.random.pick([0.5, 2, 8]))
  return g.node(op, [y], y.dims, 0.7)
}

/** (x - mean) / sqrt(variance + epsilon), or x / sqrt(mean of squares + epsilon), over one or two axes. */
const norm: Rule = (g) => {
  const x = g.pick((v) => v.dims.length > 1)
  if (!x) return
  const r = g.random
  const free = x.dims.flatMap((d, i) => (i > 0 && d > 2 ? [i] : []))
  if (free.length === 0) return
  const axes = r.chance(0.5)
    ? [free.at(-1) as number]
    : free.length > 1 && r.chance(0.4)
      ? free.slice(-2)
      : [r.pick(free)]
  const less = x.dims.map((d, i) => (axes.includes(i) ? 1 : d))
  const reduce = (op: string, v: Value) => g.node(op, [v, g.int64(axes)], less, v.size, { keepdims: 1 })
  const centred = r.chance(0.6) ? g.node('Sub', [x, reduce('ReduceMean', x)], x.dims, x.size) : x
  let divisor: Value
  if (r.chance(0.2))
    divisor = g.node('Max', [reduce('ReduceL2', centred), g.scalar(x.size * 1e-4)], less, x.size)
  else {
    const square = r.chance(0.5)
      ? g.node('Pow', [centred, g.scalar(2)], x.dims, x.size ** 2)
      : g.node('Mul', [centred, centred], x.dims, x.size ** 2)
    const variance = reduce(r.pick(['ReduceMean', 'ReduceMean', 'ReduceSum']), square)
    const safe = g.node('Add', [variance, g.scalar(x.size ** 2 * 1e-5)], less, x.size ** 2)
    divisor = g.node('Sqrt', [safe], less, x.size)
  }
  const y = g.node('Div', [centred, divisor], x.dims, 1)
  if (r.chance(0.5)) return y
  const channels = [x.dims.at(-1) as number]
  const scaled = g.node('Mul', [y, g.constant(channels, () => r.normal(0.2, 1))], x.dims, 1)
  return g.node('Add', [scaled, g.normal(channels, 0.2)], x.dims, 1)
}

const layerNorm: Rule = (g) => {
  const x = g.pick((v) => v.dims.length > 1 && (v.dims.at(-1) as number) > 2)
  if (!x) return
  const channels = [x.dims.at(-1) as number]
  const gamma = g.constant(channels, () => g.random.normal(0.2, 1))
  return g.node('LayerNormalization', [x, gamma, g.normal(channels, 0.2)], x.dims, 1, { axis: -1 })
}

const channelNorm: Rule = (g) => {
  const x = g.pick((v) => v.dims.length > 2 && v.dims.slice(2).some((d) => d > 2))
  if (!x) return
  const channels = [x.dims[1] as number]
  const gamma = g.constant(channels, () => g.random.normal(0.2, 1))
  const beta = g.normal(channels, 0.2)
  if (g.random.chance(0.4)) return g.node('InstanceNormalization', [x, gamma, beta], x.dims, 1)
  const mean = g.normal(channels, x.size * 0.3)
  const variance = g.constant(channels, () => (x.size * g.random.uniform(0.5, 1.5)) ** 2)
  return g.node('BatchNormalization', [x, gamma, beta, mean, variance], x.dims, 1)
}

const softmax: Rule = (g) => {
  const x = g.pick((v) => v.dims.length > 1 && (v.dims.at(-1) as number) > 1)
  if (!x) return
  const y = g.brought(x, 2)
  const form = g.random.integer(0, 3)
  if (form < 2) return g.node('Softmax', [y], y.dims, 0.3, { axis: -1 })
  if (form === 2) return g.node('LogSoftmax', [y], y.dims, 3, { axis: -1 })
  const e = g.node('Exp', [y], y.dims, 5)
  const sum = g.node('ReduceSum', [e, g.int64([-1])], [...y.dims.slice(0, -1), 1], 20, { keepdims: 1 })
  return g.node('Div', [e, sum], y.dims, 0.3)
}

export const hard: readonly Rule[] = [
  root,
  logarithm,
  exponential,
  power,
  quotient,
  periodic,
  norm,
  norm,
  norm,
  layerNorm,
  channelNorm,
  softmax,
]
