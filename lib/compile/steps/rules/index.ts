/** Which float step has an integer form, by the step's name. */
import type { IntegerRule } from '../rule.js'
import { averagePool, concat, reduce, resize, softmax } from './activations.js'
import { binary, unary } from './elementwise.js'
import { conv, convTranspose, matMul } from './weighted.js'

export const integerRules: ReadonlyMap<string, IntegerRule> = new Map([
  ['Conv', conv],
  ['ConvTranspose', convTranspose],
  ['MatMul', matMul],
  ['Binary', binary],
  ['Unary', unary],
  ['Clip', unary],
  ['Pool', averagePool],
  ['Reduce', reduce],
  ['Concat', concat],
  ['Softmax', softmax],
  ['Resize', resize],
])
