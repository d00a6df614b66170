/**
 * What Object.fromEntries(names.map((name, i) => [name, valueAt(name, i)])) gives, without its iterators and pairs: a run of
 * the smallest models takes some microseconds.
 */
export function recordOf<T>(
  names: readonly string[],
  valueAt: (name: string, i: number) => T,
): Record<string, T> {
  const record: Record<string, T> = {}
  for (let i = 0; i < names.length; ++i) {
    const name = names[i] as string
    const value = valueAt(name, i)
    if (name !== '__proto__') record[name] = value
    else Object.defineProperty(record, name, { value, enumerable: true, configurable: true, writable: true })
  }
  return record
}
