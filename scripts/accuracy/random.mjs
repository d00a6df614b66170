// Orders that are the same on every run.

/** 0 .. n-1 in the order of a seed (Fisher-Yates; mulberry32). */
export function seededOrder(n, seed = 1) {
  let state = seed
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const order = Array.from({ length: n }, (_, i) => i)
  for (let i = n - 1; i > 0; --i) {
    const j = Math.floor(next() * (i + 1))
    ;[order[i], order[j]] = [order[j], order[i]]
  }
  return order
}

/** The first 20 % calibrate, the rest test. */
export function split(n) {
  const order = seededOrder(n)
  const cut = Math.round(n / 5)
  return { calibration: order.slice(0, cut), test: order.slice(cut) }
}
