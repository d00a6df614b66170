/** TensorProto to constant tensor: checks sizes, takes raw_data as it is, converts the typed fields. */
import { OctavoError } from '../errors.js'
import { byteLength, type DType, dtypeFromOnnx, isSubByte } from '../graph/dtype.js'
import type { ConstantTensor, FileRange } from '../graph/graph.js'
import { bytesOf } from '../graph/tensor.js'
import { DATA_TYPES, EXTERNAL, type TensorProto } from './messages.js'
import { constantInFile } from './open-file.js'
import { decodeText } from './proto.js'

/** Payloads of external tensors: read before conversion, or where they are in an open file. */
export type ExternalPayloads = ReadonlyMap<TensorProto, Uint8Array | FileRange>

export function isExternal(proto: TensorProto): boolean {
  return proto.dataLocation === EXTERNAL
}

/** Element type of a tensor; an error where Octavo has none of that number. */
export function tensorDtype(proto: TensorProto, what: string): DType {
  const dtype = dtypeFromOnnx(proto.dataType)
  if (dtype !== undefined) return dtype
  const name = DATA_TYPES[proto.dataType]
  if (name === undefined || proto.dataType === 0) {
    throw invalid(what, `expected an element type, got number ${proto.dataType}`)
  }
  throw new OctavoError('ERR_UNSUPPORTED_OP', `${what} has element type ${name}, which is not supported`, {
    tensor: proto.name,
  })
}

/** Sizes as numbers, and their product: every one in [0, 2^53), the product and its bytes too. */
export function tensorSizes(
  proto: TensorProto,
  dtype: DType,
  what: string,
): { readonly dims: number[]; readonly elements: number } {
  let elements = 1n
  for (const dim of proto.dims) {
    if (dim < 0n) throw invalid(what, `expected sizes of at least 0, got [${proto.dims.join(', ')}]`)
    elements *= dim === 0n ? 1n : dim
    if (elements * 8n > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw invalid(what, `the number of elements of [${proto.dims.join(', ')}] overflows`)
    }
  }
  const dims = proto.dims.map(Number)
  const count = dims.includes(0) ? 0 : Number(elements)
  if (!Number.isSafeInteger(byteLength(dtype, count))) throw invalid(what, 'its size in bytes overflows')
  return { dims, elements: count }
}

export function convertTensor(proto: TensorProto, external: ExternalPayloads, what: string): ConstantTensor {
  const dtype = tensorDtype(proto, what)
  const { dims, elements } = tensorSizes(proto, dtype, what)
  if (proto.segment !== undefined) throw invalid(what, 'tensors stored in segments are not supported')
  if (dtype === 'string') return convertStrings(proto, dims, elements, what)
  const expected = byteLength(dtype, elements)
  const data = payload(proto, dtype, elements, external, what)
  const length = data instanceof Uint8Array ? data.byteLength : data.length
  if (length !== expected) {
    throw invalid(what, `${dtype} of [${dims.join(', ')}] has ${expected} bytes, its data has ${length}`)
  }
  return data instanceof Uint8Array ? { dtype, dims, data } : constantInFile(dtype, dims, data)
}

function payload(
  proto: TensorProto,
  dtype: DType,
  elements: number,
  external: ExternalPayloads,
  what: string,
): Uint8Array | FileRange {
  if (isExternal(proto)) {
    const bytes = external.get(proto)
    if (bytes === undefined)
      throw new OctavoError('ERR_EXTERNAL_DATA', `${what}: its external data was not read`)
    return bytes
  }
  if (proto.file) return proto.file
  if (proto.rawData.byteLength > 0) return proto.rawData
  const values = typedValues(proto, dtype)
  const expected = isSubByte(dtype) ? byteLength(dtype, elements) : elements
  if (values.length !== expected) {
    throw invalid(
      what,
      `${dtype} of [${proto.dims.join(', ')}] has ${expected} entries of data, the file has ${values.length}`,
    )
  }
  return bytesOf(values)
}

/** Which field has which types: comments of TensorProto in onnx.proto. */
function typedValues(proto: TensorProto, dtype: DType): ArrayBufferView & { readonly length: number } {
  switch (dtype) {
    case 'float32':
      return Float32Array.from(proto.floatData)
    case 'float64':
      return Float64Array.from(proto.doubleData)
    case 'int64':
      return BigInt64Array.from(proto.int64Data)
    case 'uint64':
      return BigUint64Array.from(proto.uint64Data)
    case 'uint32':
      return Uint32Array.from(proto.uint64Data, Number)
    case 'int32':
      return Int32Array.from(proto.int32Data)
    case 'int16':
      return Int16Array.from(proto.int32Data)
    case 'uint16':
    case 'float16':
    case 'bfloat16':
      return Uint16Array.from(proto.int32Data)
    case 'int8':
      return Int8Array.from(proto.int32Data)
    default:
      return Uint8Array.from(proto.int32Data)
  }
}

function convertStrings(proto: TensorProto, dims: number[], elements: number, what: string): ConstantTensor {
  if (isExternal(proto))
    throw new OctavoError('ERR_EXTERNAL_DATA', `${what}: strings cannot be external data`)
  if (proto.stringData.length !== elements) {
    throw invalid(what, `expected ${elements} strings, got ${proto.stringData.length}`)
  }
  return { dtype: 'string', dims, data: new Uint8Array(0), strings: proto.stringData.map(decodeText) }
}

function invalid(what: string, message: string): OctavoError {
  return new OctavoError('ERR_MODEL_INVALID', `${what}: ${message}`)
}
