/** What a session says of its inputs and outputs. */
import type { RunnerValue } from '../compile/run/runner.js'
import { formatDim } from '../graph/expr.js'
import type { TensorType } from './tensor-types.js'

/** An input or output of a model. */
export interface ValueMetadata {
  /** Its name in the model, and in feeds and results. */
  readonly name: string
  /** true: models with sequences or maps are not supported. */
  readonly isTensor: true
  /** Element type. */
  readonly type: TensorType
  /**
   * Sizes, outermost first; a symbolic one is its name or expression, as `batch` or `2*n`. `[]` for a scalar, and where
   * the model does not say the rank.
   */
  readonly shape: readonly (number | string)[]
}

export function metadata({ name, dtype, shape = [] }: RunnerValue): ValueMetadata {
  const sizes = shape.map((d) => (typeof d === 'number' ? d : formatDim(d)))
  return { name, isTensor: true, type: dtype as TensorType, shape: sizes }
}
