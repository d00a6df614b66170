/** What the reader needs of the messages of onnx.proto, with the names of the file in camel case. */

import type { FileRange } from '../graph/graph.js'

export interface StringEntry {
  key: string
  value: string
}

export interface TensorProto {
  dims: bigint[]
  dataType: number
  segment?: true
  floatData: number[]
  int32Data: number[]
  stringData: Uint8Array[]
  int64Data: bigint[]
  name: string
  rawData: Uint8Array
  externalData: StringEntry[]
  dataLocation: number
  doubleData: number[]
  uint64Data: bigint[]
  /** Where raw_data is in the file; rawData is then empty. */
  file?: FileRange
}

export interface AttributeProto {
  name: string
  refAttrName: string
  type: number
  f: number
  i: bigint
  s: Uint8Array
  t?: TensorProto
  g?: GraphProto
  floats: number[]
  ints: bigint[]
  strings: Uint8Array[]
}

export interface NodeProto {
  input: string[]
  output: string[]
  name: string
  opType: string
  domain: string
  overload: string
  attribute: AttributeProto[]
}

export interface DimensionProto {
  dimValue?: bigint
  dimParam?: string
}

/** The kind of type that is set last counts. */
export interface TypeProto {
  kind?: 'tensorType' | 'sequenceType' | 'mapType' | 'optionalType' | 'sparseTensorType'
  elemType: number
  shape?: DimensionProto[]
}

export interface ValueInfoProto {
  name: string
  type?: TypeProto
}

export interface GraphProto {
  node: NodeProto[]
  name: string
  initializer: TensorProto[]
  /** Names of the values. */
  sparseInitializer: string[]
  input: ValueInfoProto[]
  output: ValueInfoProto[]
  valueInfo: ValueInfoProto[]
}

export interface OperatorSetIdProto {
  domain: string
  version: bigint
}

export interface FunctionProto {
  name: string
  input: string[]
  output: string[]
  attributeProto: AttributeProto[]
  node: NodeProto[]
  opsetImport: OperatorSetIdProto[]
  domain: string
  overload: string
}

export interface ModelProto {
  irVersion: bigint
  opsetImport: OperatorSetIdProto[]
  producerName: string
  graph?: GraphProto
  metadataProps: StringEntry[]
  functions: FunctionProto[]
}

/** AttributeProto.AttributeType */
export const ATTRIBUTE_TYPE = {
  undefined: 0,
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
} as const

/** TensorProto.DataLocation */
export const EXTERNAL = 1

/** Names of TensorProto.DataType, by number. */
export const DATA_TYPES: readonly string[] = [
  'UNDEFINED',
  'FLOAT',
  'UINT8',
  'INT8',
  'UINT16',
  'INT16',
  'INT32',
  'INT64',
  'STRING',
  'BOOL',
  'FLOAT16',
  'DOUBLE',
  'UINT32',
  'UINT64',
  'COMPLEX64',
  'COMPLEX128',
  'BFLOAT16',
  'FLOAT8E4M3FN',
  'FLOAT8E4M3FNUZ',
  'FLOAT8E5M2',
  'FLOAT8E5M2FNUZ',
  'UINT4',
  'INT4',
  'FLOAT4E2M1',
  'FLOAT8E8M0',
  'UINT2',
  'INT2',
]
