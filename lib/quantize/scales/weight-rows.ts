/** Weights as rows of elements that share scales: the order in which scales and levels of weight-only formats are made. */
import type { Granularity } from '../../graph/format.js'
import { elementCount } from '../../graph/tensor.js'

/** How elements of a tensor lie in rows: element j of row r is at `at(r, j)`. */
export interface WeightRows {
  readonly rows: number
  readonly length: number
  /** Elements of a row that share a scale; the last of them may be fewer. */
  readonly block: number
  /** Place of an element in the tensor. */
  at(row: number, j: number): number
  /** Place of a scale in the tensor of scales. */
  scaleAt(row: number, block: number): number
}

export function weightRows(dims: readonly number[], granularity: Granularity): WeightRows {
  const elements = elementCount(dims)
  if (granularity.kind === 'tensor' || granularity.kind === 'row') {
    return { rows: 1, length: elements, block: elements, at: (_, j) => j, scaleAt: () => 0 }
  }
  const { axis } = granularity
  const size = dims[axis] as number
  const inner = elementCount(dims.slice(axis + 1))
  if (granularity.kind === 'channel') {
    return {
      rows: size,
      length: elements / size,
      block: elements / size,
      at: (row, j) => (Math.floor(j / inner) * size + row) * inner + (j % inner),
      scaleAt: (row) => row,
    }
  }
  const blocks = Math.ceil(size / granularity.size)
  return {
    rows: elements / size,
    length: size,
    block: granularity.size,
    at: (row, j) => (Math.floor(row / inner) * size + j) * inner + (row % inner),
    scaleAt: (row, block) => (Math.floor(row / inner) * blocks + block) * inner + (row % inner),
  }
}
