/** TypeProto to and from the types of a graph. */
import { create } from '@bufbuild/protobuf'
import type { TensorShapeProto, TypeProto } from 'onnx-buf'
import {
  TensorProto_DataType,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from 'onnx-buf'
import { OctavoError } from '../errors.js'
import { DTYPES, dtypeFromOnnx } from '../graph/dtype.js'
import { type Dim, formatDim, symbol } from '../graph/expr.js'
import type { TensorType } from '../graph/graph.js'

/** The type of a tensor value, or the word for what else it is. `fresh` names a size the file leaves open. */
export function convertType(
  type: TypeProto | undefined,
  what: string,
  fresh: (axis: number) => string,
): TensorType | string {
  const kind = type?.value.case
  if (type === undefined || type.value.case !== 'tensorType') return kind ?? 'nothing'
  const { elemType, shape } = type.value.value
  const dtype = dtypeFromOnnx(elemType)
  if (dtype === undefined) return `a tensor of ${TensorProto_DataType[elemType] ?? `type number ${elemType}`}`
  return shape === undefined ? { dtype } : { dtype, shape: convertShape(shape, what, fresh) }
}

function convertShape(shape: TensorShapeProto, what: string, fresh: (axis: number) => string): Dim[] {
  return shape.dim.map(({ value }, axis) => {
    if (value.case === 'dimParam' && value.value !== '' && value.value !== '?') return symbol(value.value)
    // Some exporters write -1 for a size that is not known, as onnxruntime accepts.
    if (value.case !== 'dimValue' || value.value === -1n) return symbol(fresh(axis))
    if (value.value < 0n || value.value > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new OctavoError(
        'ERR_MODEL_INVALID',
        `${what}: expected a size of axis ${axis} of at least 0 and below 2^53, got ${value.value}`,
      )
    }
    return Number(value.value)
  })
}

export function valueInfo(name: string, type: TensorType | undefined): ValueInfoProto {
  if (type === undefined) return create(ValueInfoProtoSchema, { name })
  const shape = type.shape && create(TensorShapeProtoSchema, { dim: type.shape.map(dimension) })
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: 'tensorType', value: { elemType: DTYPES[type.dtype].onnx, shape } } },
  })
}

function dimension(dim: Dim) {
  return create(TensorShapeProto_DimensionSchema, {
    value:
      typeof dim === 'number'
        ? { case: 'dimValue', value: BigInt(dim) }
        : { case: 'dimParam', value: formatDim(dim) },
  })
}
