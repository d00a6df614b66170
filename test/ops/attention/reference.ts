/** Attention in plain numbers, of tensors [batch, heads, sequence, size]. */

export interface Tensor4 {
  readonly dims: readonly [number, number, number, number]
  readonly data: Float64Array
}

export function tensor4(
  dims: Tensor4['dims'],
  at: (b: number, h: number, s: number, i: number) => number,
): Tensor4 {
  const [batch, heads, sequence, size] = dims
  const data = new Float64Array(batch * heads * sequence * size)
  let n = 0
  for (let b = 0; b < batch; b++)
    for (let h = 0; h < heads; h++)
      for (let s = 0; s < sequence; s++) for (let i = 0; i < size; i++) data[n++] = at(b, h, s, i)
  return { dims, data }
}

export function element({ dims, data }: Tensor4, b: number, h: number, s: number, i: number): number {
  const [, heads, sequence, size] = dims
  return data[((b * heads + h) * sequence + s) * size + i] as number
}

/** x [batch, sequence, heads * size]. */
export function splitHeads(x: ArrayLike<number>, dims: Tensor4['dims']): Tensor4 {
  const [, heads, sequence, size] = dims
  return tensor4(dims, (b, h, s, i) => x[((b * sequence + s) * heads + h) * size + i] as number)
}

export interface AttentionRules {
  readonly scale: number
  readonly softcap?: number
  /** What is added to a score; -Infinity hides the key. */
  readonly bias?: (b: number, head: number, query: number, key: number) => number
  /** A score without a value. */
  readonly sink?: (head: number) => number
}

/** [batch, sequence, heads * size]; zeros for a query that sees no key. */
export function attend(q: Tensor4, k: Tensor4, v: Tensor4, rules: AttentionRules): Float32Array {
  const [batch, heads, queries, size] = q.dims
  const [, keyHeads, keys] = k.dims
  const valueSize = v.dims[3]
  const y = new Float32Array(batch * queries * heads * valueSize)
  for (let b = 0; b < batch; b++)
    for (let h = 0; h < heads; h++)
      for (let s = 0; s < queries; s++) {
        const own = Math.floor(h / (heads / keyHeads))
        const scores = Array.from({ length: keys }, (_, j) => {
          let score = 0
          for (let i = 0; i < size; i++) score += element(q, b, h, s, i) * element(k, b, own, j, i)
          score *= rules.scale
          if (rules.softcap) score = rules.softcap * Math.tanh(score / rules.softcap)
          return score + (rules.bias?.(b, h, s, j) ?? 0)
        })
        const sink = rules.sink?.(h) ?? Number.NEGATIVE_INFINITY
        const top = Math.max(sink, ...scores)
        if (top === Number.NEGATIVE_INFINITY) continue
        const weights = scores.map((score) => Math.exp(score - top))
        const sum = weights.reduce((a, w) => a + w, Math.exp(sink - top))
        for (let i = 0; i < valueSize; i++) {
          let mean = 0
          for (let j = 0; j < keys; j++) mean += (weights[j] as number) * element(v, b, own, j, i)
          y[((b * queries + s) * heads + h) * valueSize + i] = mean / sum
        }
      }
  return y
}

/** Turns the pairs of elements by the angles of `position(b, s)`. */
export function rotary(
  x: Tensor4,
  position: (b: number, s: number) => number,
  cos: ArrayLike<number>,
  sin: ArrayLike<number>,
  half: number,
  interleaved: boolean,
): Tensor4 {
  return tensor4(x.dims, (b, h, s, i) => {
    if (i >= 2 * half) return element(x, b, h, s, i)
    const pair = interleaved ? i >> 1 : i % half
    const second = interleaved ? i % 2 === 1 : i >= half
    const [first, other] = interleaved ? [2 * pair, 2 * pair + 1] : [pair, pair + half]
    const [a, c] = [element(x, b, h, s, first), element(x, b, h, s, other)]
    const at = position(b, s) * half + pair
    const [cosine, sine] = [cos[at] as number, sin[at] as number]
    return second ? a * sine + c * cosine : a * cosine - c * sine
  })
}
