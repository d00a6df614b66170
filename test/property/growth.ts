/** A random graph that grows node by node; rules add to it. */
import type { Random } from '../helpers/random.js'
import type { Attribute, RandomConstant, RandomGraph, RandomInput, RandomNode } from './random-graph.js'

/** A value of the graph. `size` is a rough guess of its root mean square, 0 if it is not float32. */
export interface Value {
  readonly name: string
  readonly dims: readonly number[]
  readonly size: number
}

type Attributes = Readonly<Record<string, Attribute>>

const elements = (dims: readonly number[]) => dims.reduce((n, d) => n * d, 1)

const LARGEST = 4096

export class Growth {
  readonly values: Value[] = []
  private readonly inputs: RandomInput[] = []
  private readonly constants = new Map<string, RandomConstant>()
  private readonly nodes: RandomNode[] = []
  private readonly used = new Set<string>()
  private count = 0

  constructor(
    private readonly seed: number,
    readonly random: Random,
  ) {}

  get length(): number {
    return this.nodes.length
  }

  get hasProduct(): boolean {
    const weighted = ['Conv', 'ConvTranspose', 'Gemm', 'MatMul']
    return this.nodes.some(({ op, inputs }) => weighted.includes(op) && this.constants.has(inputs[1] ?? ''))
  }

  /** A scale of weights and constants: mostly near 1, else anywhere in eight decades. */
  scale(): number {
    return 10 ** (this.random.chance(0.7) ? this.random.uniform(-0.5, 0.5) : this.random.uniform(-4, 4))
  }

  /** A factor that brings what has this size to a random scale, far from the ends of float32. */
  gain(size: number): number {
    const reached = Math.min(1e4, Math.max(1e-4, size * this.scale()))
    return reached / size
  }

  input(dims: readonly number[]): Value {
    const [size, r] = [this.scale(), this.random]
    const mean = r.chance(0.6) ? 0 : r.uniform(-2, 2) * size
    const spread = r.chance(0.7) ? 1 : r.uniform(1, 10)
    const name = `x${this.inputs.length}`
    this.inputs.push({ name, dims, size, mean, spread })
    return this.add({ name, dims, size: Math.hypot(size, mean) })
  }

  constant(dims: readonly number[], element: (index: number) => number): string {
    const data = Array.from({ length: elements(dims) }, (_, i) => element(i))
    return this.store({ type: 'float32', dims, data })
  }

  normal(dims: readonly number[], size: number): string {
    return this.constant(dims, () => this.random.normal(size))
  }

  scalar(number: number): string {
    return this.constant([], () => number)
  }

  int64(list: readonly number[], dims: readonly number[] = [list.length]): string {
    return this.store({ type: 'int64', dims, data: list })
  }

  private store(constant: RandomConstant): string {
    const name = `c${this.count++}`
    this.constants.set(name, constant)
    return name
  }

  /** A node of one output. Values are given as they are, constants by name. */
  node(
    op: string,
    inputs: readonly (Value | string)[],
    dims: readonly number[],
    size: number,
    attributes: Attributes = {},
  ): Value {
    return this.split(op, inputs, [dims], size, attributes)[0] as Value
  }

  /** A node of several outputs. */
  split(
    op: string,
    inputs: readonly (Value | string)[],
    dims: readonly (readonly number[])[],
    size: number,
    attributes: Attributes = {},
  ): Value[] {
    const names = inputs.map((v) => (typeof v === 'string' ? v : v.name))
    for (const name of names) this.used.add(name)
    const outputs = dims.map(() => `v${this.count++}`)
    this.nodes.push({ op, inputs: names, outputs, attributes })
    return outputs.map((name, i) => this.add({ name, dims: dims[i] as readonly number[], size }))
  }

  private add(made: Value): Value {
    this.values.push(made)
    return made
  }

  /** A value that fulfils the condition; one that nothing reads yet, most of the time. */
  pick(fits: (value: Value) => boolean = () => true): Value | undefined {
    const fitting = this.values.filter((v) => v.size > 0 && fits(v) && elements(v.dims) <= LARGEST)
    if (fitting.length === 0) return undefined
    const fresh = fitting.filter((v) => !this.used.has(v.name))
    return this.random.pick(fresh.length > 0 && this.random.chance(0.75) ? fresh : fitting)
  }

  ofRank(...ranks: number[]): Value | undefined {
    return this.pick((v) => ranks.includes(v.dims.length))
  }

  /** x times a constant that brings it to about `size`: functions that saturate or explode get what they are made for. */
  brought(x: Value, size: number): Value {
    if (x.size > size / 3 && x.size < size * 3) return x
    const factor = size / x.size
    return this.random.chance(0.5)
      ? this.node('Mul', [x, this.scalar(factor)], x.dims, size)
      : this.node('Div', [x, this.scalar(1 / factor)], x.dims, size)
  }

  /** The graph; its outputs are values that nothing reads, four at most. */
  finished(): RandomGraph {
    const made = new Set(this.nodes.flatMap((n) => n.outputs))
    const open = this.values.filter((v) => made.has(v.name) && !this.used.has(v.name))
    return {
      seed: this.seed,
      inputs: this.inputs,
      constants: this.constants,
      nodes: this.nodes,
      outputs: open.slice(-4).map((v) => v.name),
      dims: new Map(this.values.map((v) => [v.name, v.dims])),
    }
  }
}

/** Adds nodes where the graph has what it needs. */
export type Rule = (g: Growth) => unknown
