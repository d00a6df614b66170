import { expect, it } from 'vitest'
import { Names } from '../../../lib/graph/names.js'
import { ConstantPool } from '../../../lib/quantize/write/constant-pool.js'
import { numbers } from '../graphs.js'

const pool = () => new ConstantPool(new Map([['w', numbers([1])]]), new Names(['w']))

it('names that are taken get a number', () => {
  const constants = pool()
  expect([constants.add('w', numbers([2])), constants.add('w', numbers([2]))]).toEqual(['w_1', 'w_2'])
})

it('shares what is equal, whatever name was asked for', () => {
  const constants = pool()
  expect(constants.share('q', numbers([1, 2]))).toBe('q')
  expect(constants.share('r', numbers([1, 2]))).toBe('q')
  expect(constants.share('q', numbers([1, 2], [2, 1]))).toBe('q_1')
  expect(constants.share('q', numbers([1, 3]))).toBe('q_2')
  // What differs far from the beginning is not equal.
  const long = (last: number) => numbers([...new Array(200).fill(0.5), last])
  expect(constants.share('l', long(1))).toBe('l')
  expect(constants.share('l', long(2))).toBe('l_1')
  expect(constants.share('m', long(2))).toBe('l_1')
})

it('shares nothing with what was added alone', () => {
  const constants = pool()
  expect(constants.add('b', numbers([4]))).toBe('b')
  expect(constants.share('s', numbers([4]))).toBe('s')
})

it('drops what nobody reads, and keeps the order', () => {
  const constants = pool()
  constants.add('b', numbers([1]))
  constants.add('a', numbers([1]))
  expect([...constants.used(new Set(['a', 'b'])).keys()]).toEqual(['b', 'a'])
})
