/**
 * The cheapest way to part vertices in two sides (Dinic 1970, Algorithm for solution of a problem of maximum flow): a
 * problem of choices that cost something alone and in pairs is one cut of a network.
 */

/** Vertices are numbers; 0 is the source, 1 the sink. */
export class Network {
  /** Arcs in pairs: arc `i ^ 1` is the reverse of arc i. */
  private readonly heads: number[] = []
  private readonly rest: number[] = []
  private readonly arcs: number[][] = [[], []]

  static readonly source = 0
  static readonly sink = 1

  addVertex(): number {
    return this.arcs.push([]) - 1
  }

  /** What it costs that `from` is on the side of the source and `to` on that of the sink; infinite: it must not be. */
  addArc(from: number, to: number, cost: number): void {
    if (!(cost > 0)) return
    this.arcs[from]?.push(this.heads.length)
    this.heads.push(to)
    this.rest.push(cost)
    this.arcs[to]?.push(this.heads.length)
    this.heads.push(from)
    this.rest.push(0)
  }

  /** The vertices on the side of the source in the cheapest cut; of several the smallest such side. */
  cut(): ReadonlySet<number> {
    for (;;) {
      const levels = this.levels()
      if (!levels.has(Network.sink)) return new Set(levels.keys())
      const next = this.arcs.map(() => 0)
      while (this.augment(levels, next));
    }
  }

  /** Distance from the source over arcs that have something left. */
  private levels(): ReadonlyMap<number, number> {
    const levels = new Map([[Network.source, 0]])
    for (const [vertex, level] of levels) {
      for (const arc of this.arcs[vertex] as number[]) {
        const head = this.heads[arc] as number
        if ((this.rest[arc] as number) > 0 && !levels.has(head)) levels.set(head, level + 1)
      }
    }
    return levels
  }

  /** Sends what fits along one path of rising levels; `next`: the first arc of each vertex that may still lead on. */
  private augment(levels: ReadonlyMap<number, number>, next: number[]): boolean {
    const path: number[] = []
    let vertex: number = Network.source
    while (vertex !== Network.sink) {
      const arcs = this.arcs[vertex] as number[]
      const arc = arcs[next[vertex] as number]
      if (arc === undefined) {
        const back = path.pop()
        if (back === undefined) return false
        vertex = this.heads[back ^ 1] as number
        next[vertex] = (next[vertex] as number) + 1
        continue
      }
      const head = this.heads[arc] as number
      if ((this.rest[arc] as number) > 0 && levels.get(head) === (levels.get(vertex) as number) + 1) {
        path.push(arc)
        vertex = head
      } else {
        next[vertex] = (next[vertex] as number) + 1
      }
    }
    const flow = path.reduce((least, arc) => Math.min(least, this.rest[arc] as number), Infinity)
    for (const arc of path) {
      this.rest[arc] = (this.rest[arc] as number) - flow
      this.rest[arc ^ 1] = (this.rest[arc ^ 1] as number) + flow
    }
    return true
  }
}
