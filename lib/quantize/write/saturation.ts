/**
 * QuantizeLinear saturates at the ends of its type. Where a format has fewer levels, a Clip before it keeps values within
 * them; its bounds are real numbers that are levels, so that the nearest level of a clipped value is within the format too.
 * Where what makes the value cannot leave the format's range, nothing is needed.
 */

import { dequantizeNumber, FORMATS, quantizeNumber } from '../../graph/format.js'
import type { ConstantTensor, Graph, Node } from '../../graph/graph.js'
import { numbersOf } from '../../graph/tensor.js'
import type { Range } from '../../statistics/summary.js'
import type { Fusion } from '../assign/fusions.js'
import type { AffineParameters } from '../scales/affine.js'

/** Bounds of a Clip; an undefined one is not needed. */
export interface ClipBounds {
  readonly low: number | undefined
  readonly high: number | undefined
}

/** What must be clipped before a value is quantized; `known`: numbers that it lies within anyway. */
export function clipBounds({ format, scale, zeroPoint }: AffineParameters, known: Range): ClipBounds {
  const { qmin, qmax, storage } = format
  const full = FORMATS[storage]
  const level = (x: number) => quantizeNumber(x, scale, zeroPoint, full)
  return {
    low: level(known[0]) < qmin ? dequantizeNumber(qmin, scale, zeroPoint) : undefined,
    high: level(known[1]) > qmax ? dequantizeNumber(qmax, scale, zeroPoint) : undefined,
  }
}

const ALL: Range = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]

/** What the operators tell of the numbers that a fusion makes; of a float node or an input of the graph: nothing. */
export function knownRange(graph: Graph, fusion: Fusion | undefined): Range {
  if (!fusion) return ALL
  const last = fusion.fused.at(-1)
  if (last) return clampRange(graph, last)
  return fusion.rule.kind === 'activation' && fusion.rule.range ? fusion.rule.range : ALL
}

function clampRange({ constants }: Graph, { domain, opType, inputs }: Node): Range {
  if (domain !== '') return ALL
  if (opType === 'Relu') return [0, ALL[1]]
  if (opType !== 'Clip') return ALL
  return [numberOf(constants.get(inputs[1] ?? ''), ALL[0]), numberOf(constants.get(inputs[2] ?? ''), ALL[1])]
}

function numberOf(tensor: ConstantTensor | undefined, absent: number): number {
  return (tensor && numbersOf(tensor)[0]) ?? absent
}
