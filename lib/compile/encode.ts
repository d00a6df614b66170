/**
 * A plan as the words that the engine decodes. The format is described in `native/engine/plan.h`; every table
 * (strings, expressions, buffers) holds each entry once.
 */
import { DTYPES } from '../graph/dtype.js'
import type { Atom, Dim } from '../graph/expr.js'
import type { NativeBytes } from '../native/binding.js'
import type { Plan, PlanAttribute, PlanStep, PlanSymbol, PlanTensor } from './plan.js'

export interface EncodedPlan {
  readonly words: Int32Array
  readonly buffers: readonly NativeBytes[]
}

const MAGIC = 0x5654434f
const VERSION = 1

const EXPRESSION = { constant: 0, symbol: 1, add: 2, mul: 3, div: 4, mod: 5, min: 6, max: 7 } as const
const SOURCE = { input: 0, data: 1, dim: 2, outer: 3 } as const
const TENSOR = { constant: 0, scratch: 1, input: 2, output: 3, state: 4, alias: 5, provided: 6 } as const
const ATTRIBUTE = { ints: 0, floats: 1, texts: 2, plan: 3 } as const

export function encodePlan(plan: Plan): EncodedPlan {
  const buffers: NativeBytes[] = []
  const indices = new Map<NativeBytes, number>()
  const words = [MAGIC, VERSION]
  append(words, new Encoder(plan, buffers, indices).encode())
  return { words: Int32Array.from(words), buffers }
}

class Encoder {
  readonly #strings: string[] = []
  readonly #stringIndices = new Map<string, number>()
  readonly #expressions: number[] = []
  readonly #expressionIndices = new Map<string, number>()
  readonly #dimIndices = new Map<string, number>()
  readonly #symbolIndices: Map<string, number>

  constructor(
    readonly plan: Plan,
    readonly buffers: NativeBytes[],
    readonly bufferIndices: Map<NativeBytes, number>,
  ) {
    this.#symbolIndices = new Map(plan.symbols.map((symbol, i) => [symbol.name, i]))
  }

  /** The plan with its length in front. */
  encode(): number[] {
    const body: number[] = []
    table(body, this.plan.symbols, (symbol) => this.#symbol(symbol))
    table(body, this.plan.tensors, (tensor) => this.#tensor(tensor))
    list(body, this.plan.inputs)
    list(body, this.plan.outputs)
    table(body, this.plan.steps, (step) => this.#step(step))
    const head: number[] = [this.#strings.length]
    for (const text of this.#strings) appendText(head, text)
    head.push(this.#expressions.length / 3)
    append(head, this.#expressions)
    const words = [head.length + body.length]
    append(words, head)
    append(words, body)
    return words
  }

  #symbol({ name, source }: PlanSymbol): number[] {
    const words = [this.#string(name), SOURCE[source.kind]]
    switch (source.kind) {
      case 'input':
        return [...words, 0, 0]
      case 'data':
        return [...words, source.tensor, source.index]
      case 'dim':
        return [...words, source.tensor, source.axis]
      case 'outer':
        return [...words, source.index, 0]
    }
  }

  #tensor(tensor: PlanTensor): number[] {
    const refersTo =
      tensor.kind === 'alias' ? (tensor.of ?? -1) : tensor.kind === 'constant' ? this.#buffer(tensor) : -1
    const dims = tensor.dims.map((d) => this.#dim(d))
    return [
      this.#string(tensor.name),
      DTYPES[tensor.dtype].onnx,
      TENSOR[tensor.kind],
      refersTo,
      dims.length,
      ...dims,
    ]
  }

  #buffer(tensor: PlanTensor): number {
    const bytes = tensor.file ?? tensor.data
    if (bytes === undefined) throw new Error(`plan: constant ${tensor.name} has no data`)
    const known = this.bufferIndices.get(bytes)
    if (known !== undefined) return known
    this.bufferIndices.set(bytes, this.buffers.length)
    return this.buffers.push(bytes) - 1
  }

  #step(step: PlanStep): number[] {
    const words = [this.#string(step.op), this.#string(label(step.nodes))]
    list(words, step.inputs)
    list(words, step.outputs)
    table(words, Object.entries(step.attributes), ([name, attribute]) => this.#attribute(name, attribute))
    return words
  }

  #attribute(name: string, attribute: PlanAttribute): number[] {
    const words = [this.#string(name), ATTRIBUTE[attribute.kind]]
    switch (attribute.kind) {
      case 'ints':
        list(
          words,
          attribute.value.map((d) => this.#dim(d)),
        )
        break
      case 'floats':
        list(words, new Int32Array(Float32Array.from(attribute.value).buffer))
        break
      case 'texts':
        list(
          words,
          attribute.value.map((text) => this.#string(text)),
        )
        break
      case 'plan':
        words.push(1)
        append(words, new Encoder(attribute.value, this.buffers, this.bufferIndices).encode())
    }
    return words
  }

  #string(text: string): number {
    return intern(this.#stringIndices, text, () => this.#strings.push(text) - 1)
  }

  #dim(d: Dim): number {
    if (typeof d === 'number') return this.#constant(d)
    return intern(this.#dimIndices, d.key, () => {
      const terms = d.terms.map(({ coefficient, atoms }) => {
        const factors = atoms.map((atom) => this.#atom(atom))
        if (coefficient !== 1) factors.unshift(this.#constant(coefficient))
        return factors.reduce((a, b) => this.#expression(EXPRESSION.mul, a, b))
      })
      if (d.constant !== 0) terms.push(this.#constant(d.constant))
      return terms.reduce((a, b) => this.#expression(EXPRESSION.add, a, b))
    })
  }

  #atom(atom: Atom): number {
    if (atom.kind === 'let') return this.#dim(atom.value)
    if (atom.kind !== 'symbol') {
      const [a, b] = [this.#dim(atom.a), this.#dim(atom.b)]
      return this.#expression(EXPRESSION[atom.kind], a, b)
    }
    const index = this.#symbolIndices.get(atom.name)
    if (index === undefined) throw new Error(`plan: symbol ${atom.name} is not among the plan's symbols`)
    return this.#expression(EXPRESSION.symbol, index, 0)
  }

  #constant(value: number): number {
    if (!Number.isSafeInteger(value)) throw new Error(`plan: ${value} is not an integer`)
    return this.#expression(EXPRESSION.constant, value | 0, Math.floor(value / 2 ** 32) | 0)
  }

  #expression(kind: number, a: number, b: number): number {
    return intern(
      this.#expressionIndices,
      `${kind},${a},${b}`,
      () => this.#expressions.push(kind, a, b) / 3 - 1,
    )
  }
}

function intern(indices: Map<string, number>, key: string, make: () => number): number {
  const known = indices.get(key)
  if (known !== undefined) return known
  const index = make()
  indices.set(key, index)
  return index
}

/** Nodes of a step for error messages: the first few. */
function label(nodes: readonly string[]): string {
  return nodes.length <= 3 ? nodes.join(', ') : `${nodes.slice(0, 3).join(', ')} and ${nodes.length - 3} more`
}

function table<T>(words: number[], entries: readonly T[], encode: (entry: T) => readonly number[]): void {
  words.push(entries.length)
  for (const entry of entries) append(words, encode(entry))
}

function list(words: number[], values: ArrayLike<number>): void {
  words.push(values.length)
  append(words, values)
}

/** `push(...values)` would overflow the stack on long lists. */
function append(words: number[], values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) words.push(values[i] as number)
}

function appendText(words: number[], text: string): void {
  const bytes = new TextEncoder().encode(text)
  const padded = new Int32Array(Math.ceil(bytes.length / 4))
  new Uint8Array(padded.buffer).set(bytes)
  words.push(bytes.length)
  append(words, padded)
}
