// Pixels as models want them, from { data: RGB bytes, width, height }.

export const float32 = (dims, data) => ({ type: 'float32', dims, data })
export const int64 = (dims, values) => ({ type: 'int64', dims, data: BigInt64Array.from(values, BigInt) })

export const IMAGENET = { scale: 1 / 255, mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] }

/** float32 [1, channels, height, width]: (pixel * scale - mean) / deviation, in the order of `channels` of RGB. */
export function planar({ data, width, height }, norm = {}) {
  const { scale, mean, deviation, channels } = { ...PLAIN, ...norm }
  const area = width * height
  const out = new Float32Array(channels.length * area)
  channels.forEach((from, c) => {
    for (let i = 0; i < area; ++i) out[c * area + i] = (data[i * 3 + from] * scale - mean[c]) / deviation[c]
  })
  return float32([1, channels.length, height, width], out)
}

/** float32 [1, height, width, 3], and `extra` channels of a constant after them. */
export function interleaved({ data, width, height }, norm = {}) {
  const { scale, mean, deviation, channels, extra } = { ...PLAIN, ...norm }
  const count = channels.length + extra.length
  const out = new Float32Array(width * height * count)
  for (let i = 0; i < width * height; ++i) {
    channels.forEach((from, c) => {
      out[i * count + c] = (data[i * 3 + from] * scale - mean[c]) / deviation[c]
    })
    extra.forEach((value, c) => {
      out[i * count + channels.length + c] = value
    })
  }
  return float32([1, height, width, count], out)
}

const PLAIN = { scale: 1, mean: [0, 0, 0], deviation: [1, 1, 1], channels: [0, 1, 2], extra: [] }
export const BGR = [2, 1, 0]
