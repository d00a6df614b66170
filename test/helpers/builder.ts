/** A model put together in code, with random weights of a fixed seed, as the bytes of a file of any opset. */
import {
  type AttributeInit,
  FLOAT,
  float,
  floatTensor,
  type GraphInit,
  graph,
  INT64,
  int,
  ints,
  modelBytes,
  type NodeInit,
  node,
  text,
  value,
} from './model.js'
import { Random } from './random.js'

/** Attributes that are floats however they are written. */
const FLOATS = new Set(['alpha', 'beta', 'gamma', 'epsilon', 'lambd', 'bias', 'value_float'])

export type Attributes = Readonly<Record<string, number | string | readonly number[] | GraphInit>>

/** The name of a value, a number (a float32 scalar), or '' for an input that is left out. */
export type Operand = string | number

/** An output of a body that is not float32. */
export interface BodyOutput {
  readonly name: string
  readonly elemType: number
}

type TensorInit = ReturnType<typeof floatTensor> & { int64Data?: bigint[] }

export class ModelBuilder {
  readonly random: Random
  private readonly nodes: NodeInit[] = []
  private readonly inputs: ReturnType<typeof value>[] = []
  private readonly outputs: ReturnType<typeof value>[] = []
  private readonly constants: TensorInit[] = []

  /** `parent`: of the body of a node, whose names and numbers go on with those of the graph around it. */
  constructor(
    seed: number,
    readonly opset = 17,
    private readonly parent?: ModelBuilder,
  ) {
    this.random = parent?.random ?? new Random(seed)
  }

  private count = 0

  private name(prefix: string): string {
    return this.parent ? this.parent.name(prefix) : `${prefix}_${this.count++}`
  }

  input(name: string, dims?: readonly (number | string)[], elemType = FLOAT): string {
    this.inputs.push(value(name, dims, elemType))
    return name
  }

  output(...names: string[]): void {
    for (const name of names) this.outputs.push(value(name))
  }

  constant(dims: readonly number[], data: readonly number[] | ((index: number) => number)): string {
    const length = dims.reduce((n, d) => n * d, 1)
    const list = typeof data === 'function' ? Array.from({ length }, (_, i) => data(i)) : [...data]
    const name = this.name('c')
    this.constants.push(floatTensor(name, [...dims], list))
    return name
  }

  /** Weights: normally distributed. */
  normal(dims: readonly number[], deviation = 1, mean = 0): string {
    return this.constant(dims, () => this.random.normal(deviation, mean))
  }

  /** int64: a vector, or a scalar of one number. */
  int64(list: readonly number[] | number): string {
    const name = this.name('i')
    const data = typeof list === 'number' ? [list] : list
    const dims = typeof list === 'number' ? [] : [BigInt(list.length)]
    this.constants.push({ ...floatTensor(name, [], []), dataType: INT64, dims, int64Data: data.map(BigInt) })
    return name
  }

  op(opType: string, inputs: readonly Operand[], attributes: Attributes = {}): string {
    return this.ops(opType, 1, inputs, attributes)[0] as string
  }

  /** A node with several outputs. */
  ops(opType: string, outputs: number, inputs: readonly Operand[], attributes: Attributes = {}): string[] {
    const name = this.name(opType)
    const names = outputs === 1 ? [name] : Array.from({ length: outputs }, (_, i) => `${name}.${i}`)
    const operands = inputs.map((v) => (typeof v === 'number' ? this.constant([], [v]) : v))
    this.nodes.push(node(opType, operands, names, Object.entries(attributes).map(attributeOf), `n_${name}`))
    return names
  }

  /** The body of a node: what it makes are its outputs. Values of the graphs around it are captured by name. */
  body(build: (body: ModelBuilder) => readonly (string | BodyOutput)[]): GraphInit {
    const body = new ModelBuilder(0, this.opset, this)
    for (const made of build(body)) {
      const { name, elemType } = typeof made === 'string' ? { name: made, elemType: FLOAT } : made
      body.outputs.push(value(name, undefined, elemType))
    }
    return body.graph('body')
  }

  private graph(name: string): Exclude<GraphInit, { $typeName: string }> {
    return {
      name,
      node: this.nodes,
      input: this.inputs,
      output: this.outputs,
      initializer: this.constants,
    }
  }

  bytes(): Uint8Array {
    return modelBytes(this.graph('model'), this.opset)
  }

  /** x W with normal weights that keep the size of what they read, and a bias where asked for. */
  linear(x: Operand, from: number, to: number, bias = false): string {
    const product = this.op('MatMul', [x, this.normal([from, to], 1 / Math.sqrt(from))])
    return bias ? this.op('Add', [product, this.normal([to], 0.2)]) : product
  }

  /** A convolution with a bias, padded so that a stride of 1 keeps the sizes. */
  conv(x: Operand, from: number, to: number, kernel: readonly number[], attributes: Attributes = {}): string {
    const fan = from * kernel.reduce((n, k) => n * k, 1)
    const pads = kernel.map((k) => (k - 1) >> 1)
    const weights = this.normal([to, from, ...kernel], 1 / Math.sqrt(fan))
    return this.op('Conv', [x, weights, this.normal([to], 0.2)], { pads: [...pads, ...pads], ...attributes })
  }

  /** A reduction: axes are an attribute or an input, as the opset has it. */
  reduce(opType: string, x: Operand, axes: readonly number[], keepdims = 1): string {
    const asInput = this.opset >= 18 || (opType === 'ReduceSum' && this.opset >= 13)
    return asInput
      ? this.op(opType, [x, this.int64(axes)], { keepdims })
      : this.op(opType, [x], { axes, keepdims })
  }

  slice(x: Operand, axis: number, start: number, end: number): string {
    return this.op('Slice', [x, this.int64([start]), this.int64([end]), this.int64([axis])])
  }

  reshape(x: Operand, dims: readonly number[]): string {
    return this.op('Reshape', [x, this.int64(dims)])
  }
}

function attributeOf([name, given]: readonly [string, Attributes[string]]): AttributeInit {
  if (typeof given === 'string') return text(name, given)
  if (typeof given === 'number') return FLOATS.has(name) ? float(name, given) : int(name, given)
  return isList(given) ? ints(name, [...given]) : graph(name, given)
}

const isList = (given: Attributes[string]): given is readonly number[] => Array.isArray(given)
