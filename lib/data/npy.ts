/** NumPy files: .npy (format versions 1 to 3) and .npz (a zip of them, stored or deflated), read and written. */
import { OctavoError } from '../errors.js'
import { Tensor } from '../session/tensor.js'
import { arrayOf, type TensorData, type TensorType } from '../session/tensor-types.js'
import { readBytes } from './read-file.js'
import { unzip, zip } from './zip.js'

/** dtype descriptions of NumPy, little endian. */
const TYPES: Readonly<Record<string, TensorType>> = {
  f4: 'float32',
  f8: 'float64',
  f2: 'float16',
  i1: 'int8',
  u1: 'uint8',
  i2: 'int16',
  u2: 'uint16',
  i4: 'int32',
  u4: 'uint32',
  i8: 'int64',
  u8: 'uint64',
  b1: 'bool',
}

export async function readNpy(path: string): Promise<Tensor> {
  return parseNpy(await readBytes(path), path)
}

/** The arrays of a .npz by their names. */
export async function readNpz(path: string): Promise<Record<string, Tensor>> {
  const entries = unzip(await readBytes(path), path)
  return Object.fromEntries(
    [...entries].map(([name, bytes]) => [name.replace(/\.npy$/, ''), parseNpy(bytes, `${path}:${name}`)]),
  )
}

/** Format: magic, version, header length, a Python dict, data (numpy.lib.format). */
export function parseNpy(bytes: Uint8Array, where: string): Tensor {
  const fail = (expected: string): never => {
    throw new OctavoError('ERR_CALIBRATION_DATA', `${where}: expected ${expected}.`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 10 || bytes[0] !== 0x93 || String.fromCharCode(...bytes.subarray(1, 6)) !== 'NUMPY') {
    return fail('a .npy file')
  }
  const long = (bytes[6] as number) >= 2
  const start = long ? 12 : 10
  const length = long ? view.getUint32(8, true) : view.getUint16(8, true)
  if (start + length > bytes.length) return fail('a whole header')
  const header = new TextDecoder().decode(bytes.subarray(start, start + length))
  const descr = /'descr':\s*'([<>|=]?)(\w+)'/.exec(header) ?? fail('a plain dtype')
  const type =
    TYPES[descr[2] ?? ''] ?? fail(`one of the dtypes ${Object.keys(TYPES).join(', ')}, got '${descr[2]}'`)
  if (descr[1] === '>') return fail('little-endian data')
  if (/'fortran_order':\s*True/.test(header)) return fail('C order (numpy.ascontiguousarray)')
  const shape = /'shape':\s*\(([^)]*)\)/.exec(header) ?? fail('a shape')
  const dims = (shape[1] ?? '')
    .split(',')
    .map((s) => s.trim())
    .filter((s) => s !== '')
    .map(Number)
  return rawTensor(bytes.subarray(start + length), type, dims, where)
}

/** A tensor of raw little-endian bytes. */
export function rawTensor(
  bytes: Uint8Array,
  type: TensorType,
  dims: readonly number[],
  where: string,
): Tensor {
  const array = arrayOf(type)
  const size = dims.reduce((p, d) => p * d, 1)
  const needed = size * (array?.BYTES_PER_ELEMENT ?? 0)
  if (!array || bytes.length !== needed) {
    throw new OctavoError(
      'ERR_CALIBRATION_DATA',
      `${where}: expected ${needed} bytes for ${type} of [${dims.join(', ')}], got ${bytes.length}.`,
    )
  }
  return new Tensor(type, new array(new Uint8Array(bytes).buffer) as TensorData, dims)
}

/** A tensor as a .npy file, version 1. */
export function formatNpy(tensor: Tensor): Uint8Array {
  const code = Object.keys(TYPES).find((key) => TYPES[key] === tensor.type)
  if (code === undefined)
    throw new OctavoError('ERR_DTYPE_MISMATCH', `a tensor of type ${tensor.type} has no .npy form`)
  const order = code.endsWith('1') ? '|' : '<'
  const shape = tensor.dims.length === 1 ? `${tensor.dims[0]},` : tensor.dims.join(', ')
  const text = `{'descr': '${order}${code}', 'fortran_order': False, 'shape': (${shape}), }`
  const padded = `${text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11)}\n`
  const data = tensor.data as unknown as ArrayBufferView
  const head = Uint8Array.of(0x93, ...Buffer.from('NUMPY'), 1, 0, padded.length & 255, padded.length >> 8)
  return Buffer.concat([
    head,
    Buffer.from(padded),
    Buffer.from(data.buffer, data.byteOffset, data.byteLength),
  ])
}

/** Tensors as a .npz file: the same bytes for the same tensors. */
export function formatNpz(tensors: Readonly<Record<string, Tensor>>): Uint8Array {
  return zip(Object.entries(tensors).map(([name, tensor]) => [`${name}.npy`, formatNpy(tensor)] as const))
}
