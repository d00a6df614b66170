import { describe, it } from 'vitest'
import { removeDead } from '../../lib/graph/rewrite.js'
import { foldConstants } from '../../lib/passes/fold-constants.js'
import { foldIntoTable } from '../../lib/passes/fold-into-table.js'
import type { Pass } from '../../lib/passes/pass.js'
import { expectRewrite, expectUntouched } from './golden.js'

const folded: Pass = async (graph, context) =>
  removeDead(await foldConstants(await foldIntoTable(graph, context), context))

const graphOf = (nodes: string, outputs = 'y: ?') => `
  graph g (ids: int64[n, 3]) -> (${outputs})
    table: float32[2, 2] = 1 2 3 4
    k: float32[2] = 10 100
    c: float32[1, 1, 2] = 7 8
    places: float32[3, 2] = 1 2 3 4 5 6
    l = Gather(table, ids)
    ${nodes}
`

describe('foldIntoTable', () => {
  it('takes a scale and a shift per column into the table', () =>
    expectRewrite(
      folded,
      graphOf('m = Mul(l, k)\n    y = Add(c, m)'),
      `
      graph g (ids: int64[n, 3]) -> (y: ?)
        Add_y:table: float32[2, 2] = 17 208 37 408
        y = Gather(Add_y:table, ids)
      `,
    ))

  it.each([
    ['a shift per place', graphOf('y = Add(l, places)')],
    ['what others read', graphOf('y = Mul(l, k)', 'y: ?, l: ?')],
    ['a table that others read', graphOf('m = Mul(l, k)\n    y = MatMul(m, table)')],
    [
      'a lookup along another axis',
      graphOf('y = Mul(l, k)')
        .replace('ids)', 'ids) {axis=1}')
        .replace('k: float32[2] = 10 100', 'k: float32[1] = 10'),
    ],
  ])('leaves %s', (_, text) => expectUntouched(foldIntoTable, text))
})
