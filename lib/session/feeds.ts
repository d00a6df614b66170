/** Feeds and outputs: between tensors of the API and bytes of the engine. */
import type { EngineOutput, EngineTensor } from '../compile/run/engine.js'
import type { RunnerValue } from '../compile/run/runner.js'
import { OctavoError, typeError } from '../errors.js'
import type { Dim } from '../graph/expr.js'
import type { TensorLike } from './arguments.js'
import { Tensor } from './tensor.js'
import { arrayOf, type NumericData, type TensorData, type TensorType } from './tensor-types.js'

/** Names that onnxruntime gives element types in its messages. */
const ONNX_NAMES: Readonly<Record<string, string>> = { float32: 'float', float64: 'double' }

const onnxName = (type: string) => `tensor(${ONNX_NAMES[type] ?? type})`

/** Checks a feed against its input and gives its bytes; the engine copies them when the run is called. */
export function feedOf(input: RunnerValue, value: TensorLike): EngineTensor {
  const { name, dtype, shape } = input
  if (typeof value !== 'object' || value === null || !Array.isArray(value.dims)) {
    throw typeError(`input '${name}': expected a tensor ({ type, data, dims }), got ${describe(value)}.`)
  }
  if (value.type !== dtype) {
    throw new OctavoError(
      'ERR_DTYPE_MISMATCH',
      `Unexpected input data type. Actual: (${onnxName(value.type)}) , expected: (${onnxName(dtype)}) for input '${name}'`,
      { tensor: name },
    )
  }
  if (shape) checkDims(name, value.dims, shape)
  return { dtype, dims: value.dims, data: bytesOf(name, value) }
}

function checkDims(name: string, dims: readonly number[], shape: readonly Dim[]): void {
  if (dims.length !== shape.length) {
    throw new OctavoError(
      'ERR_SHAPE_MISMATCH',
      `Invalid rank for input: ${name} Got: ${dims.length} Expected: ${shape.length} Please fix either the inputs/outputs or the model.`,
      { tensor: name },
    )
  }
  if (dims.every((got, i) => typeof shape[i] !== 'number' || got === shape[i])) return
  const wrong = dims
    .map((got, i) => ({ i, got, expected: shape[i] }))
    .filter(({ got, expected }) => typeof expected === 'number' && got !== expected)
  const lines = wrong.map(({ i, got, expected }) => ` index: ${i} Got: ${got} Expected: ${String(expected)}`)
  throw new OctavoError(
    'ERR_SHAPE_MISMATCH',
    `Got invalid dimensions for input: ${name} for the following indices\n${lines.join('\n')}\n Please fix either the inputs/outputs or the model.`,
    { tensor: name },
  )
}

function bytesOf(name: string, value: TensorLike): Uint8Array {
  const { data } = value
  if (value.type === 'string') {
    throw new OctavoError('ERR_DTYPE_MISMATCH', `input '${name}': string tensors are not supported.`, {
      tensor: name,
    })
  }
  if (!ArrayBuffer.isView(data)) {
    throw typeError(`input '${name}': expected a typed array as data, got ${describe(data)}.`)
  }
  const size = value.dims.reduce((p, d) => p * d, 1)
  const array = arrayOf(value.type)
  const packed = value.type === 'int4' || value.type === 'uint4'
  const bytes = packed ? Math.ceil(size / 2) : size * (array?.BYTES_PER_ELEMENT ?? 0)
  if (data.byteLength !== bytes) {
    throw new OctavoError(
      'ERR_SHAPE_MISMATCH',
      `input '${name}': dims [${value.dims.join(', ')}] need ${bytes} bytes of data, got ${data.byteLength}.`,
      { tensor: name },
    )
  }
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

/** An output as a tensor; written into `target` where one is given. */
export function tensorOf(name: string, output: EngineOutput, target: TensorLike | null): Tensor {
  const type = output.dtype as TensorType
  const array = arrayOf(type)
  if (!array)
    throw new OctavoError('ERR_DTYPE_MISMATCH', `output '${name}': type ${type} has no JavaScript array.`)
  if (target === null) return new Tensor(type, new array(output.data) as TensorData, output.dims)
  return fill(name, target, type, output)
}

function fill(name: string, target: TensorLike, type: TensorType, output: EngineOutput): Tensor {
  const data = target.data as NumericData
  const sameDims =
    target.dims.length === output.dims.length && target.dims.every((d, i) => d === output.dims[i])
  if (target.type !== type || !sameDims || data.byteLength !== output.data.byteLength) {
    throw new OctavoError(
      'ERR_SHAPE_MISMATCH',
      `output '${name}': expected a ${type} tensor of [${output.dims.join(', ')}] to write into, got ${target.type} of [${target.dims.join(', ')}].`,
      { tensor: name },
    )
  }
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength).set(new Uint8Array(output.data))
  return target instanceof Tensor ? target : new Tensor(type, data, [...output.dims])
}

function describe(value: unknown): string {
  if (value === null) return 'null'
  return typeof value === 'object' ? (value.constructor?.name ?? 'object') : typeof value
}
