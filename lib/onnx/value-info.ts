/** Types of a graph to ValueInfoProto. */
import { create } from '@bufbuild/protobuf'
import {
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from 'onnx-buf'
import { DTYPES } from '../graph/dtype.js'
import { type Dim, formatDim } from '../graph/expr.js'
import type { TensorType } from '../graph/graph.js'

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
