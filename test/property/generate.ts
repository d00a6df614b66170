/** Random graphs of 5 to 30 nodes of all operators that can become integer, and of float ones between them. */
import { Random } from '../helpers/random.js'
import { Growth, type Rule } from './growth.js'
import { pruned, type RandomGraph } from './random-graph.js'
import { hard } from './rules/hard.js'
import { movers } from './rules/movers.js'
import { pointwise } from './rules/pointwise.js'
import { products } from './rules/products.js'

/** Kinds of rules, and how often each is chosen. */
const KINDS: readonly (readonly [number, readonly Rule[]])[] = [
  [0.32, products],
  [0.3, pointwise],
  [0.24, movers],
  [0.14, hard],
]

const INPUTS = [
  [1, 3, 8, 8],
  [1, 4, 6, 6],
  [1, 8, 5, 5],
  [1, 6, 12],
  [1, 10, 8],
  [1, 16],
  [2, 10],
]

/** The same graph for the same seed. */
export function generate(seed: number): RandomGraph {
  const random = new Random(seed)
  const g = new Growth(seed, random)
  const inputs = random.pick([1, 1, 1, 2, 2, 3])
  for (let i = 0; i < inputs; ++i) g.input(random.pick(INPUTS))
  const nodes = random.integer(5, 26)
  while (g.length < nodes) ruleOf(random)(g)
  while (!g.hasProduct) random.pick(products)(g)
  const graph = pruned(g.finished())
  const names = new Set(graph.nodes.map((n) => n.op))
  const weighted = ['Conv', 'ConvTranspose', 'Gemm', 'MatMul'].some((op) => names.has(op))
  return weighted && graph.nodes.length >= 3 ? graph : generate(seed + 0x10000000)
}

function ruleOf(random: Random): Rule {
  let left = random.uniform()
  for (const [share, rules] of KINDS) {
    if (left < share) return random.pick(rules)
    left -= share
  }
  return random.pick(products)
}
