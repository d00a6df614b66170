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
const VERSION = 2

const EXPRESSION = { constant: 0, symbol: 1, add: 2, mul: 3, div: 4, mod: 5, min: 6, max: 7 } as const
const SOURCE = { input: 0, data: 1, dim: 2, outer: 3 } as const
const TENSOR = { constant: 0, scratch: 1, input: 2, output: 3, state: 4, alias: 5, provided: 6 } as const
const ATTRIBUTE = { ints: 0, floats: 1, texts: 2, plan: 3 } as const

export function encodePlan(plan: Plan): EncodedPlan {
  const buffers: NativeBytes[] = []
  const words = new Encoder(plan, buffers, new Map()).encode()
  return { words: concatenated([MAGIC, VERSION], words), buffers }
}

class Encoder {
  readonly #strings: string[] = []
  readonly #stringIndices = new Map<string, number>()
  readonly #expressions: number[] = []
  readonly #expressionIndices = new Map<string, number>()
  readonly #constantIndices = new Map<number, number>()
  readonly #dimIndices = new Map<string, number>()
  readonly #symbolIndices: Map<string, number>
  /** What follows the tables of strings and expressions. */
  readonly #body: number[] = []

  constructor(
    readonly plan: Plan,
    readonly buffers: NativeBytes[],
    readonly bufferIndices: Map<NativeBytes, number>,
  ) {
    this.#symbolIndices = new Map(plan.symbols.map((symbol, i) => [symbol.name, i]))
  }

  /** The plan with its length in front. */
  encode(): Int32Array {
    const body = this.#body
    const { symbols, tensors, inputs, outputs, steps } = this.plan
    body.push(symbols.length)
    for (const symbol of symbols) this.#symbol(symbol)
    body.push(tensors.length)
    for (const tensor of tensors) this.#tensor(tensor)
    this.#list(inputs)
    this.#list(outputs)
    body.push(steps.length)
    for (const step of steps) this.#step(step)
    const strings = stringTable(this.#strings)
    const expressions = this.#expressions
    const length = strings.length + 1 + expressions.length + body.length
    return concatenated([length], strings, [expressions.length / 3], expressions, body)
  }

  #list(values: ArrayLike<number>): void {
    this.#body.push(values.length)
    append(this.#body, values)
  }

  #symbol({ name, source }: PlanSymbol): void {
    this.#body.push(this.#string(name), SOURCE[source.kind])
    switch (source.kind) {
      case 'input':
        this.#body.push(0, 0)
        break
      case 'data':
        this.#body.push(source.tensor, source.index)
        break
      case 'dim':
        this.#body.push(source.tensor, source.axis)
        break
      case 'outer':
        this.#body.push(source.index, 0)
    }
  }

  #tensor(tensor: PlanTensor): void {
    const { name, dtype, kind, of = -1, dims } = tensor
    const isStored = kind === 'constant' || (kind === 'state' && (tensor.file ?? tensor.data) !== undefined)
    const refersTo = kind === 'alias' ? of : isStored ? this.#buffer(tensor) : -1
    this.#body.push(this.#string(name), DTYPES[dtype].onnx, TENSOR[kind], refersTo)
    this.#dims(dims)
  }

  #dims(dims: readonly Dim[]): void {
    this.#body.push(dims.length)
    for (const d of dims) this.#body.push(this.#dim(d))
  }

  #buffer(tensor: PlanTensor): number {
    const bytes = tensor.file ?? tensor.data
    if (bytes === undefined) throw new Error(`plan: constant ${tensor.name} has no data`)
    const known = this.bufferIndices.get(bytes)
    if (known !== undefined) return known
    this.bufferIndices.set(bytes, this.buffers.length)
    return this.buffers.push(bytes) - 1
  }

  #step({ op, nodes, inputs, outputs, attributes }: PlanStep): void {
    this.#body.push(this.#string(op), this.#string(label(nodes)))
    this.#list(inputs)
    this.#list(outputs)
    const entries = Object.entries(attributes)
    this.#body.push(entries.length)
    for (const [name, attribute] of entries) this.#attribute(name, attribute)
  }

  #attribute(name: string, attribute: PlanAttribute): void {
    const body = this.#body
    body.push(this.#string(name), ATTRIBUTE[attribute.kind])
    switch (attribute.kind) {
      case 'ints':
        this.#dims(attribute.value)
        break
      case 'floats':
        this.#list(new Int32Array(Float32Array.from(attribute.value).buffer))
        break
      case 'texts':
        body.push(attribute.value.length)
        for (const text of attribute.value) body.push(this.#string(text))
        break
      case 'plan':
        body.push(1)
        append(body, new Encoder(attribute.value, this.buffers, this.bufferIndices).encode())
    }
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
    const known = this.#constantIndices.get(value)
    if (known !== undefined) return known
    if (!Number.isSafeInteger(value)) throw new Error(`plan: ${value} is not an integer`)
    const index = this.#expression(EXPRESSION.constant, value | 0, Math.floor(value / 2 ** 32) | 0)
    this.#constantIndices.set(value, index)
    return index
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

/** `push(...values)` would overflow the stack on long lists. */
function append(words: number[], values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) words.push(values[i] as number)
}

function concatenated(...parts: readonly ArrayLike<number>[]): Int32Array {
  const words = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    words.set(part, at)
    at += part.length
  }
  return words
}

/** The number of texts, then each: its length in bytes and its UTF-8, padded. */
function stringTable(texts: readonly string[]): Int32Array {
  const lengths = texts.map((text) => Buffer.byteLength(text))
  const wordsOf = (length: number) => 1 + Math.ceil(length / 4)
  const words = new Int32Array(1 + lengths.reduce((sum, length) => sum + wordsOf(length), 0))
  const bytes = Buffer.from(words.buffer)
  words[0] = texts.length
  let at = 1
  for (let i = 0; i < texts.length; i++) {
    const length = lengths[i] as number
    words[at] = length
    bytes.write(texts[i] as string, 4 * at + 4)
    at += wordsOf(length)
  }
  return words
}
