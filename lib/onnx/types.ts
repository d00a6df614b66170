/** TypeProto to the types of a graph. */
import { OctavoError } from '../errors.js'
import { dtypeFromOnnx } from '../graph/dtype.js'
import { type Dim, symbol } from '../graph/expr.js'
import type { TensorType } from '../graph/graph.js'
import { DATA_TYPES, type DimensionProto, type TypeProto } from './messages.js'

/** The type of a tensor value, or the word for what else it is. `fresh` names a size the file leaves open. */
export function convertType(
  type: TypeProto | undefined,
  what: string,
  fresh: (axis: number) => string,
): TensorType | string {
  if (type?.kind !== 'tensorType') return type?.kind ?? 'nothing'
  const { elemType, shape } = type
  const dtype = dtypeFromOnnx(elemType)
  if (dtype === undefined) return `a tensor of ${DATA_TYPES[elemType] ?? `type number ${elemType}`}`
  return shape === undefined ? { dtype } : { dtype, shape: convertShape(shape, what, fresh) }
}

function convertShape(
  shape: readonly DimensionProto[],
  what: string,
  fresh: (axis: number) => string,
): Dim[] {
  return shape.map(({ dimValue, dimParam }, axis) => {
    if (dimParam !== undefined && dimParam !== '' && dimParam !== '?') return symbol(dimParam)
    // Some exporters write -1 for a size that is not known, as onnxruntime accepts.
    if (dimValue === undefined || dimValue === -1n) return symbol(fresh(axis))
    if (dimValue < 0n || dimValue > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new OctavoError(
        'ERR_MODEL_INVALID',
        `${what}: expected a size of axis ${axis} of at least 0 and below 2^53, got ${dimValue}`,
      )
    }
    return Number(dimValue)
  })
}
