/** Element types, by the names of the JavaScript API of ONNX, and what is known of each. */

export const DTYPES = {
  float32: { onnx: 1, bits: 32 },
  uint8: { onnx: 2, bits: 8 },
  int8: { onnx: 3, bits: 8 },
  uint16: { onnx: 4, bits: 16 },
  int16: { onnx: 5, bits: 16 },
  int32: { onnx: 6, bits: 32 },
  int64: { onnx: 7, bits: 64 },
  string: { onnx: 8, bits: 0 },
  bool: { onnx: 9, bits: 8 },
  float16: { onnx: 10, bits: 16 },
  float64: { onnx: 11, bits: 64 },
  uint32: { onnx: 12, bits: 32 },
  uint64: { onnx: 13, bits: 64 },
  bfloat16: { onnx: 16, bits: 16 },
  uint4: { onnx: 21, bits: 4 },
  int4: { onnx: 22, bits: 4 },
  uint2: { onnx: 25, bits: 2 },
  int2: { onnx: 26, bits: 2 },
  /** One bit, of plans only: no ONNX file has it. */
  uint1: { onnx: 127, bits: 1 },
} as const

/** Name of an element type: those of `TensorType`, and the ones that only occur inside of models. */
export type DType = keyof typeof DTYPES

const byNumber = new Map<number, DType>(
  (Object.keys(DTYPES) as DType[])
    .filter((name) => name !== 'uint1')
    .map((name) => [DTYPES[name].onnx, name]),
)

/** The type with this TensorProto.DataType number, or undefined where Octavo has none (complex, float8...). */
export function dtypeFromOnnx(number: number): DType | undefined {
  return byNumber.get(number)
}

/** Bytes of a dense tensor of `elements` elements; sub-byte types are packed, the last byte padded. */
export function byteLength(dtype: DType, elements: number): number {
  return Math.ceil((DTYPES[dtype].bits * elements) / 8)
}

/** Whether elements of this type share bytes: the lowest bits of a byte are the first element, as ONNX packs them. */
export function isSubByte(dtype: DType): boolean {
  const { bits } = DTYPES[dtype]
  return bits > 0 && bits < 8
}

export function isFloat(dtype: DType): boolean {
  return dtype === 'float32' || dtype === 'float16' || dtype === 'float64' || dtype === 'bfloat16'
}

/** uint8 or int8: the types of quantized activations. */
export function isQuantized8(dtype: DType): dtype is 'uint8' | 'int8' {
  return dtype === 'uint8' || dtype === 'int8'
}
