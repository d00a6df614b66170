import { expect, it } from 'vitest'
import { Names } from '../../../lib/graph/names.js'
import { ConstantPool } from '../../../lib/quantize/write/constant-pool.js'
import { numbers } from '../graphs.js'

const pool = () => new ConstantPool(new Map([['w', numbers([1])]]), new Names(['w']))

it('names that are taken get a number', () => {
  const constants = pool()
  expect([constants.add('w', numbers([2])), constants.add('w', numbers([2]))]).toEqual(['w_1', 'w_2'])
})

it('shares what is equal and was asked for under the same names', () => {
  const constants = pool()
  const scaled = (scale: number) => constants.share(['q', numbers([1, 2])], ['q_scale', numbers([scale])])
  expect(scaled(0.5)).toEqual(['q', 'q_scale'])
  expect(scaled(0.5)).toEqual(['q', 'q_scale'])
  expect(scaled(0.25)).toEqual(['q_1', 'q_scale_1'])
  expect(constants.share(['r', numbers([1, 2])], ['r_scale', numbers([0.5])])).toEqual(['r', 'r_scale'])
  expect(constants.share(['q', numbers([1, 2], [2, 1])], ['q_scale', numbers([0.5])])).toEqual([
    'q_2',
    'q_scale_2',
  ])
})

it('drops what nobody reads, and keeps the order', () => {
  const constants = pool()
  constants.add('b', numbers([1]))
  constants.add('a', numbers([1]))
  expect([...constants.used(new Set(['a', 'b'])).keys()]).toEqual(['b', 'a'])
})
