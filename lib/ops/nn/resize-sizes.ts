/** Sizes of resized axes. */
import { type Dim, floorDiv, mul } from '../../graph/expr.js'

/** floor(size * scale) with a float32 scale; float32 as onnxruntime computes it where the size is known. */
export function scaledSize(size: Dim, scale: number): Dim {
  if (typeof size === 'number') return Math.floor(Math.fround(Math.fround(size) * Math.fround(scale)))
  const [p, q] = simplestFraction(scale)
  return floorDiv(mul(size, p), q)
}

/**
 * The fraction with the smallest denominator that rounds to the float32 `value`, by continued fractions: a scale of 0.7 is
 * meant as 7/10, and 10 * 7/10 must be 7, though the float32 is a little less.
 */
export function simplestFraction(value: number): [number, number] {
  const target = Math.fround(value)
  let [p, q, p1, q1] = [Math.floor(target), 1, 1, 0]
  let rest = target - p
  while (Math.fround(p / q) !== target && rest !== 0) {
    const inverse = 1 / rest
    const digit = Math.floor(inverse)
    ;[p, p1] = [digit * p + p1, p]
    ;[q, q1] = [digit * q + q1, q]
    rest = inverse - digit
  }
  return [p, q]
}

/** One scale for all axes that keeps their ratio; undefined where a size is a symbol. */
export function aspectScale(
  input: readonly Dim[],
  wanted: readonly Dim[],
  notLarger: boolean,
): number | undefined {
  let scale: number | undefined
  for (const [i, size] of input.entries()) {
    const target = wanted[i]
    if (typeof size !== 'number' || typeof target !== 'number') return undefined
    const own = target / size
    if (scale === undefined) scale = own
    else scale = notLarger ? Math.min(scale, own) : Math.max(scale, own)
  }
  return scale
}
