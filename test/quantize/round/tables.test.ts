import { describe, expect, it } from 'vitest'
import type { ConstantTensor } from '../../../lib/graph/graph.js'
import { floatsOf } from '../../../lib/graph/tensor.js'
import { assignTables } from '../../../lib/quantize/assign/tables.js'
import type { Quantization } from '../../../lib/quantize/quantization.js'
import { roundTables } from '../../../lib/quantize/round/tables.js'
import { graph, node, noise, numbers } from '../graphs.js'
import { assigned, through } from '../record.js'

const [ROWS, COLUMNS] = [300, 64]

async function rounded(t: ConstantTensor): Promise<Quantization> {
  const float = graph({
    inputs: { i: [4] },
    outputs: ['y'],
    nodes: [node('e = Gather(t, i)'), node('y = Relu(e)')],
    constants: { t },
  })
  const types = new Map([['i', { dtype: 'int64', shape: [4] } as const]])
  return through(await assigned({ ...float, types }), [assignTables, roundTables])
}

/** Rows from 0.001 to 10. */
function unevenRows(): Float32Array {
  const values = floatsOf(noise(ROWS, COLUMNS)).slice()
  return values.map((v, i) => v * 10 ** ((Math.floor(i / COLUMNS) % 5) - 3))
}

describe('roundTables', () => {
  it('gives each row a scale of its own: what is far from the largest row keeps its accuracy', async () => {
    const values = unevenRows()
    const { storedTables } = await rounded(numbers([...values], [ROWS, COLUMNS]))
    const table = storedTables.get('t')
    expect(table).toMatchObject({ dims: [ROWS, COLUMNS], block: COLUMNS })
    const levels = new Int8Array(table?.levels ?? [])
    levels.forEach((level, i) => {
      const scale = table?.scales[Math.floor(i / COLUMNS)] as number
      expect(Math.abs(level * scale - (values[i] as number))).toBeLessThanOrEqual(scale * 0.5001)
    })
  })

  it('levels that the floats were made of come back', async () => {
    const levels = Int8Array.from({ length: ROWS * COLUMNS }, (_, i) =>
      i % COLUMNS === 0 ? 127 : (i * 37) % 127,
    )
    const values = Array.from(levels, (q, i) =>
      Math.fround(q * Math.fround(0.003 * (1 + Math.floor(i / COLUMNS)))),
    )
    const { storedTables } = await rounded(numbers(values, [ROWS, COLUMNS]))
    expect(new Int8Array(storedTables.get('t')?.levels ?? [])).toEqual(levels)
  })

  it('blocks of a row have scales where one number outweighs the rest; without blocks such a table stays float', async () => {
    const spiked = (columns: number) =>
      rounded(
        numbers(floatsOf(noise(ROWS, columns)).map((v, i) => (i % columns === 3 ? 1 : 0.02 * v)) as never, [
          ROWS,
          columns,
        ]),
      )
    const { storedTables } = await spiked(128)
    expect(storedTables.get('t')).toMatchObject({ block: 32 })
    expect(storedTables.get('t')?.scales).toHaveLength(ROWS * 4)
    const { storedTables: none, fusions } = await spiked(130)
    expect(none.size).toBe(0)
    expect(fusions.float.get('Gather:e')).toContain('too uneven')
  })

  it('rows of zeros are exact', async () => {
    const zeros = await rounded(numbers(new Array(ROWS * COLUMNS).fill(0), [ROWS, COLUMNS]))
    expect(zeros.storedTables.get('t')?.levels.every((q) => q === 0)).toBe(true)
  })
})
