// JSON with the numbers that it does not have.

const NUMBERS = new Set(['Infinity', '-Infinity', 'NaN'])

export function toJson(value, indent) {
  return JSON.stringify(
    value,
    (_, v) => (typeof v === 'number' && !Number.isFinite(v) ? String(v) : v),
    indent,
  )
}

export function fromJson(text) {
  return JSON.parse(text, (_, v) => (NUMBERS.has(v) ? Number(v) : v))
}
