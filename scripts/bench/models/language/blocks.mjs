// Weights in the forms of files of language models, by plain rounding: [rows, columns] in blocks along the columns.
/** NF4 of bitsandbytes (Dettmers et al. 2023), as MatMulBnb4 has it. */
const NF4 = [
  -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
  -0.18477343022823334, -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725,
  0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1,
]

/**
 * Levels of 0 to 15, two a byte, the first in the low bits; blocks are padded with the level of zero. Symmetric: level 8 is
 * zero, and the largest of a block is -8 (onnxruntime's rounding). Else each block has a zero point, two a byte.
 */
export function nibbles(data, rows, columns, block, symmetric = true) {
  const blocks = Math.ceil(columns / block)
  const bytes = new Uint8Array((rows * blocks * block) / 2)
  const scales = new Float32Array(rows * blocks)
  const zeroPoints = new Uint8Array(rows * Math.ceil(blocks / 2))
  for (let row = 0; row < rows; ++row) {
    for (let b = 0; b < blocks; ++b) {
      const start = row * columns + b * block
      const part = data.subarray(start, row * columns + Math.min(columns, (b + 1) * block))
      const { scale, zero } = symmetric ? symmetricBlock(part) : asymmetricBlock(part)
      scales[row * blocks + b] = scale
      zeroPoints[row * Math.ceil(blocks / 2) + (b >> 1)] |= zero << (4 * (b & 1))
      const at = ((row * blocks + b) * block) / 2
      for (let i = 0; i < block; ++i) {
        const x = i < part.length && scale !== 0 ? part[i] / scale : 0
        const level = Math.max(0, Math.min(15, Math.round(x) + zero))
        bytes[at + (i >> 1)] |= level << (4 * (i & 1))
      }
    }
  }
  return { bytes, scales, zeroPoints, blocks }
}

function symmetricBlock(part) {
  let largest = 0
  for (const x of part) if (Math.abs(x) > Math.abs(largest)) largest = x
  return { scale: Math.fround(largest / -8), zero: 8 }
}

function asymmetricBlock(part) {
  const [least, most] = extremes(part)
  const scale = Math.fround((most - least) / 15)
  return { scale, zero: scale === 0 ? 8 : Math.max(0, Math.min(15, Math.round(-least / scale))) }
}

/** Of MatMulBnb4: levels of NF4 in one row over all, the first of a byte in the high bits; the largest of each block. */
export function bnb4(data, block) {
  const bytes = new Uint8Array(Math.ceil(data.length / 2))
  const absmax = new Float32Array(Math.ceil(data.length / block))
  for (let b = 0; b < absmax.length; ++b) {
    const part = data.subarray(b * block, (b + 1) * block)
    let largest = 0
    for (const x of part) largest = Math.max(largest, Math.abs(x))
    absmax[b] = largest
    for (let i = 0; i < part.length; ++i) {
      const at = b * block + i
      bytes[at >> 1] |= nearest(largest === 0 ? 0 : part[i] / largest) << (at & 1 ? 0 : 4)
    }
  }
  return { bytes, absmax }
}

function nearest(x) {
  let best = 0
  for (let i = 1; i < 16; ++i) if (Math.abs(NF4[i] - x) < Math.abs(NF4[best] - x)) best = i
  return best
}

/** Per tensor: uint8 levels of [rows, columns], transposed to [columns, rows]. */
export function bytesTransposed(data, rows, columns) {
  const { scale, zero } = range(data)
  const bytes = new Uint8Array(data.length)
  for (let r = 0; r < rows; ++r) {
    for (let c = 0; c < columns; ++c) bytes[c * rows + r] = level(data[r * columns + c], scale, zero)
  }
  return { bytes, scale, zero }
}

/** Per tensor: uint8 levels. */
export function bytesOf(data) {
  const { scale, zero } = range(data)
  return { bytes: Uint8Array.from(data, (x) => level(x, scale, zero)), scale, zero }
}

/** Of numbers and 0. */
function extremes(data) {
  let [least, most] = [0, 0]
  for (const x of data) {
    least = Math.min(least, x)
    most = Math.max(most, x)
  }
  return [least, most]
}

function range(data) {
  const [least, most] = extremes(data)
  const scale = Math.fround((most - least) / 255)
  return { scale, zero: Math.round(-least / scale) }
}

const level = (x, scale, zero) => Math.max(0, Math.min(255, Math.round(x / scale) + zero))
