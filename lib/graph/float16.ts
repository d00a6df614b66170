/** The two 16-bit float formats as bit patterns, to and from float32. Narrowing rounds to nearest, ties to even. */

const word = new DataView(new ArrayBuffer(4))

function floatBits(value: number): number {
  word.setFloat32(0, value)
  return word.getUint32(0)
}

function bitsToFloat(bits: number): number {
  word.setUint32(0, bits >>> 0)
  return word.getFloat32(0)
}

export function float16ToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN
  return sign * (1024 + fraction) * 2 ** (exponent - 25)
}

/** `value` is rounded to float32 first, as a cast of a float32 tensor would have it. */
export function numberToFloat16(value: number): number {
  const bits = floatBits(value)
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00
  if (magnitude >= 0x47800000) return sign | 0x7c00
  if (magnitude < 0x38800000) {
    // Subnormal or zero: the unit is 2^-24, the scaling exact; the float64 below 2^-14 has bits to spare for the tie.
    const scaled = bitsToFloat(magnitude) * 2 ** 24
    const floor = Math.floor(scaled)
    const rest = scaled - floor
    return sign | (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor)
  }
  // The carry of rounding may run into the exponent, up to infinity: that is the right result.
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1)
  return sign | ((rounded - 0x38000000) >>> 13)
}

export function bfloat16ToNumber(bits: number): number {
  return bitsToFloat(bits << 16)
}

export function numberToBfloat16(value: number): number {
  const bits = floatBits(value)
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16
}
