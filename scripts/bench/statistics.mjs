// What is said of repeated measurements. Times of a busy machine are skewed: the median and the quartiles, not the mean.

/** The q-quantile, interpolated between the two nearest (the definition of R's type 7 and of numpy). */
export function quantile(values, q) {
  if (values.length === 0) throw new Error('no values')
  const sorted = Float64Array.from(values).sort()
  const at = q * (sorted.length - 1)
  const low = Math.floor(at)
  const high = Math.min(low + 1, sorted.length - 1)
  return sorted[low] + (sorted[high] - sorted[low]) * (at - low)
}

export function median(values) {
  return quantile(values, 0.5)
}

export function summary(values) {
  return {
    median: median(values),
    q1: quantile(values, 0.25),
    q3: quantile(values, 0.75),
    min: quantile(values, 0),
    count: values.length,
  }
}

/** Half of the distance of the quartiles, as a part of the median. */
export function spread({ median: middle, q1, q3 }) {
  return (q3 - q1) / 2 / middle
}
