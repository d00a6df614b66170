/** The cheapest cut against all cuts of small networks. */
import { expect, it } from 'vitest'
import { mulberry32 } from '../../../lib/calibrate/reservoir.js'
import { Network } from '../../../lib/quantize/assign/min-cut.js'

type Arc = readonly [from: number, to: number, cost: number]

const costOf = (arcs: readonly Arc[], side: ReadonlySet<number>) =>
  arcs.reduce((sum, [from, to, cost]) => (side.has(from) && !side.has(to) ? sum + cost : sum), 0)

it('no other cut costs less', () => {
  const random = mulberry32(5)
  for (let round = 0; round < 200; ++round) {
    const inner = 1 + Math.floor(random() * 6)
    const network = new Network()
    for (let i = 0; i < inner; ++i) network.addVertex()
    const arcs: Arc[] = Array.from({ length: 3 * inner }, () => {
      const from = Math.floor(random() * (inner + 2))
      const to = Math.floor(random() * (inner + 2))
      return [from, to, random() < 0.1 ? 1e9 : Math.ceil(random() * 20)] as const
    }).filter(([from, to]) => from !== to && from !== Network.sink && to !== Network.source)
    for (const arc of arcs) network.addArc(...arc)
    const costs = Array.from({ length: 2 ** inner }, (_, bits) => {
      const side = new Set([Network.source])
      for (let i = 0; i < inner; ++i) if ((bits >> i) & 1) side.add(i + 2)
      return costOf(arcs, side)
    })
    const side = network.cut()
    expect(side.has(Network.source) && !side.has(Network.sink)).toBe(true)
    expect(costOf(arcs, side)).toBe(Math.min(...costs))
  }
})

it('what must not be cut is not', () => {
  const network = new Network()
  const [a, b] = [network.addVertex(), network.addVertex()]
  network.addArc(Network.source, a, 5)
  network.addArc(a, b, Number.POSITIVE_INFINITY)
  network.addArc(b, Network.sink, 3)
  expect([...network.cut()].sort()).toEqual([Network.source, a, b])
})
