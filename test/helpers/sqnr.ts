/** Signal to quantization noise. */

/** 20 log10(|y| / |y - y'|) over all samples as one vector; Infinity where the two are equal, NaN where one is not finite. */
export function sqnrOf(float: readonly ArrayLike<number>[], other: readonly ArrayLike<number>[]): number {
  let [signal, noise] = [0, 0]
  float.forEach((a, s) => {
    const b = other[s] as ArrayLike<number>
    for (let i = 0; i < a.length; ++i) {
      const [x, y] = [Number(a[i]), Number(b[i])]
      signal += x * x
      noise += (x - y) ** 2
    }
  })
  return noise === 0 ? Number.POSITIVE_INFINITY : 10 * Math.log10(signal / noise)
}
