// Inputs made of a seed: the same numbers on every machine (integers scaled by a power of two).
import { Tensor } from '../../dist/index.js'

/** xorshift32: uniform integers. */
export function generator(seed) {
  let x = seed | 1
  return () => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return x >>> 0
  }
}

/** `count` sets of feeds for a session whose open sizes are taken as `open`. */
export function* seededFeeds(session, count, open = 1) {
  const next = generator(12345)
  for (let i = 0; i < count; ++i) {
    yield Object.fromEntries(
      session.inputMetadata.map(({ name, type, shape }) => [
        name,
        seededTensor(
          next,
          type,
          shape.map((d) => (typeof d === 'number' ? d : open)),
        ),
      ]),
    )
  }
}

function seededTensor(next, type, dims) {
  const size = dims.reduce((p, d) => p * d, 1)
  if (type === 'float32')
    return new Tensor(
      type,
      Float32Array.from({ length: size }, () => (next() % 4096) / 1024 - 2),
      dims,
    )
  if (type === 'int64')
    return new Tensor(
      type,
      BigInt64Array.from({ length: size }, () => BigInt(next() % 100)),
      dims,
    )
  if (type === 'int32')
    return new Tensor(
      type,
      Int32Array.from({ length: size }, () => next() % 256),
      dims,
    )
  if (type === 'uint8')
    return new Tensor(
      type,
      Uint8Array.from({ length: size }, () => next() % 256),
      dims,
    )
  return new Tensor(
    type,
    Int8Array.from({ length: size }, () => (next() % 256) - 128),
    dims,
  )
}
