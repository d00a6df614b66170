/** Branches and bodies of loops are quantized with the graph around them. */
import { describe, expect, it } from 'vitest'
import { ownedGraphs } from '../../lib/graph/subgraph.js'
import { explain, quantize, Tensor } from '../../lib/index.js'
import { readModel } from '../../lib/onnx/index.js'
import { ModelBuilder } from '../helpers/builder.js'
import { Random } from '../helpers/random.js'

const BOOL = 9

/** A product before an If, whose branches share its weights and read its result, and one after it. */
function model(): Uint8Array {
  const m = new ModelBuilder(3)
  const h = m.op('Relu', [m.linear(m.input('x', [4, 16]), 16, 16)])
  const w = m.normal([16, 16], 0.3)
  const branch = (extra: string) => m.body((b) => [b.op(extra, [b.op('MatMul', [h, w])])])
  const y = m.op('If', [m.input('flag', [], BOOL)], {
    then_branch: branch('Relu'),
    else_branch: branch('Tanh'),
  })
  m.output(m.linear(y, 16, 3))
  return m.bytes()
}

const random = new Random(4)
const sample = (flag: boolean) => ({
  x: random.tensor([4, 16]),
  flag: new Tensor('bool', Uint8Array.of(flag ? 1 : 0), []),
})
const both = Array.from({ length: 8 }, (_, i) => sample(i % 2 === 0))

describe('branches', () => {
  it('are integer inside, and explain shows it', async () => {
    const { model: file, report } = await quantize(model(), { data: both })
    expect(report.warnings).toEqual([])
    expect(report.integer.filter((n) => n.opType === 'MatMul')).toHaveLength(4)
    const { nodes, steps } = await explain(file)
    expect(nodes.filter((n) => n.opType === 'MatMul').map((n) => n.kind)).toEqual(Array(4).fill('integer'))
    expect(steps.integer).toBeGreaterThanOrEqual(4)
  })

  it('capture integers, and share weights that both read', async () => {
    const { model: file } = await quantize(model(), { data: both })
    const { graph } = await readModel(file)
    const bodies = graph.nodes.flatMap((n) => ownedGraphs(n).map(([, body]) => body))
    expect(bodies).toHaveLength(2)
    const weights = bodies.map((b) =>
      [...b.constants.values()].find((t) => t.dtype === 'int8' && t.dims.length === 2),
    )
    expect(weights[0]).toBeDefined()
    expect(weights[0]).toBe(weights[1])
    for (const body of bodies) expect(body.nodes.map((n) => n.opType)).toContain('DequantizeLinear')
  })

  it('that no sample took stay in float, with a warning', async () => {
    const data = Array.from({ length: 8 }, () => sample(true))
    const { report } = await quantize(model(), { data })
    expect(report.warnings.join()).toMatch(/no sample computed .* give samples that take every branch/)
    expect(report.float.map((n) => n.reason)).toContain('no sample computed its values')
    expect(report.integer.filter((n) => n.opType === 'MatMul')).toHaveLength(3)
  })
})
