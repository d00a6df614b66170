/** Bounds against models made to exhaust memory or stack. */
import { OctavoError } from '../errors.js'

export interface ReadLimits {
  /** How deep graphs may own graphs, and functions call functions. Default 32. */
  readonly depth?: number
  /** Nodes of the model, functions written out. Default 1,000,000. */
  readonly nodes?: number
}

export class Budget {
  readonly #depth: number
  readonly #nodes: number
  #used = 0

  constructor(limits: ReadLimits = {}) {
    this.#depth = limits.depth ?? 32
    this.#nodes = limits.nodes ?? 1_000_000
  }

  addNodes(count: number): void {
    this.#used += count
    if (this.#used > this.#nodes) {
      throw new OctavoError(
        'ERR_LIMIT',
        `Expected at most ${this.#nodes} nodes, functions written out; the model has more`,
      )
    }
  }

  checkDepth(depth: number, what: string): void {
    if (depth > this.#depth) {
      throw new OctavoError(
        'ERR_LIMIT',
        `${what}: expected at most ${this.#depth} levels of graphs and functions`,
      )
    }
  }
}
