/** Inputs for timing: the same numbers for the same seed. */
import { OctavoError } from '../../errors.js'
import { Tensor } from '../../session/tensor.js'
import { arrayOf, dataLength, type TensorData, type TensorType } from '../../session/tensor-types.js'

/** Reals in [0, 1); integers 0 and 1, which are valid as indices, masks and sizes more often than others; bytes of all values. */
export function randomTensor(type: TensorType, dims: readonly number[], seed: number): Tensor {
  const array = arrayOf(type)
  if (!array) {
    throw new OctavoError('ERR_DTYPE_MISMATCH', `Inputs of type ${type} cannot be random; give --input.`)
  }
  const random = mulberry32(seed)
  const length = dataLength(
    type,
    dims.reduce((p, d) => p * d, 1),
  )
  const data = new array(length) as unknown as { [i: number]: number | bigint; readonly length: number }
  const next = generator(type, random)
  for (let i = 0; i < length; ++i) data[i] = next()
  return new Tensor(type, data as unknown as TensorData, dims)
}

function generator(type: TensorType, random: () => number): () => number | bigint {
  switch (type) {
    case 'int64':
    case 'uint64':
      return () => BigInt(Math.floor(2 * random()))
    case 'uint8':
    case 'int8':
    case 'int4':
    case 'uint4':
      return () => Math.floor(256 * random())
    case 'float32':
    case 'float64':
      return random
    case 'float16':
      // Without a Float16Array these are bit patterns: 0 and the smallest numbers.
      return 'Float16Array' in globalThis ? random : () => Math.floor(2 * random())
    default:
      return () => Math.floor(2 * random())
  }
}

/** Tommy Ettinger's generator of 32 bits: small, and good enough for timing. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
