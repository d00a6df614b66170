// How far outputs are from the float ones. An output is { type, dims, data }; outputs come by name, one object per sample.

/** Beyond this a difference is rounding of float32. */
const MOST_DB = 80
const LEAST_DB = -20

const isFloat = (tensor) => /^(float|bfloat)/.test(tensor.type)

/** Sums over one pair of float tensors. */
export function sums(reference, other) {
  const s = { dot: 0, reference: 0, other: 0, error: 0, elements: reference.length, finite: true }
  if (reference.length !== other.length) return { ...s, finite: false }
  for (let i = 0; i < reference.length; ++i) {
    const [a, b] = [Number(reference[i]), Number(other[i])]
    if (a === b) {
      // Equal infinities are no difference, and would spoil the sums.
      if (!Number.isFinite(a)) continue
    } else if (!Number.isFinite(a) || !Number.isFinite(b)) s.finite = false
    s.dot += a * b
    s.reference += a * a
    s.other += b * b
    s.error += (a - b) ** 2
  }
  return s
}

/** dB; Infinity where both are equal. */
export function sqnr({ reference, error, finite }) {
  if (!finite) return -Infinity
  return error === 0 ? Infinity : 10 * Math.log10(reference / error)
}

export function cosine({ dot, reference, other, finite }) {
  if (!finite) return 0
  if (reference === 0 && other === 0) return 1
  return reference === 0 || other === 0 ? 0 : dot / Math.sqrt(reference * other)
}

/** Per output, over all samples: { name, sqnr, cosine }; for outputs of integers { name, agreement } instead. */
export function perOutput(references, others) {
  return Object.keys(references[0] ?? {}).map((name) => {
    const pairs = references.map((r, i) => [r[name], others[i][name]])
    if (!isFloat(pairs[0][0])) return { name, agreement: agreement(pairs) }
    const all = pairs.map(([r, o]) => sums(r.data, o.data)).reduce(added)
    return { name, sqnr: sqnr(all), cosine: cosine(all) }
  })
}

function added(a, b) {
  const s = { finite: a.finite && b.finite }
  for (const key of ['dot', 'reference', 'other', 'error', 'elements']) s[key] = a[key] + b[key]
  return s
}

function agreement(pairs) {
  let [same, all] = [0, 0]
  for (const [{ data: a }, { data: b }] of pairs) {
    all += a.length
    for (let i = 0; i < a.length; ++i) if (a[i] === b[i]) ++same
  }
  return all === 0 ? 1 : same / all
}

/** One number per sample: the mean over its float outputs of the SQNR in dB, -20 to 80; outputs that are 0 everywhere say nothing. */
export function perSample(references, others) {
  return references.map((reference, i) => {
    const found = Object.entries(reference)
      .filter(([, tensor]) => isFloat(tensor))
      .map(([name, { data }]) => sums(data, others[i][name].data))
      .filter((s) => s.reference > 0 || !s.finite)
      .map((s) => Math.min(MOST_DB, Math.max(LEAST_DB, sqnr(s))))
    return found.length === 0 ? MOST_DB : found.reduce((a, b) => a + b) / found.length
  })
}

/** Mean of the differences a - b, and its standard error. */
export function paired(a, b) {
  const differences = a.map((v, i) => v - b[i])
  const n = differences.length
  const mean = differences.reduce((s, d) => s + d, 0) / n
  const variance = differences.reduce((s, d) => s + (d - mean) ** 2, 0) / Math.max(1, n - 1)
  return { mean, error: Math.sqrt(variance / n) }
}

/** The worst output of a list of perOutput: its least cosine and SQNR. */
export function worst(outputs) {
  const floats = outputs.filter((o) => o.cosine !== undefined)
  if (floats.length === 0) return { cosine: Math.min(1, ...outputs.map((o) => o.agreement)), sqnr: undefined }
  return {
    cosine: Math.min(...floats.map((o) => o.cosine)),
    sqnr: Math.min(...floats.map((o) => o.sqnr)),
  }
}

export function median(list) {
  const sorted = [...list].sort((a, b) => a - b)
  const at = (sorted.length - 1) / 2
  return (sorted[Math.floor(at)] + sorted[Math.ceil(at)]) / 2
}
