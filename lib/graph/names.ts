/** Makes names that nothing else has, in constant time each. */
export class Names {
  readonly #taken: Set<string>
  readonly #next = new Map<string, number>()

  constructor(taken: Iterable<string> = []) {
    this.#taken = new Set(taken)
  }

  has(name: string): boolean {
    return this.#taken.has(name)
  }

  /** Marks a name as used; false where it was already. */
  take(name: string): boolean {
    if (this.#taken.has(name)) return false
    this.#taken.add(name)
    return true
  }

  /** `base` itself, or base_1, base_2...: the first that is free; marked as used. */
  fresh(base: string): string {
    if (this.take(base)) return base
    let n = this.#next.get(base) ?? 1
    while (!this.take(`${base}_${n}`)) n++
    this.#next.set(base, n + 1)
    return `${base}_${n}`
  }
}
