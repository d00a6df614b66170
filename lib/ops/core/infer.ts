/**
 * Shape inference: types of all values of a graph, sizes as expressions, and the elements of small integer
 * tensors that carry sizes. One pass over the nodes in their order.
 */
import { OctavoError } from '../../errors.js'
import type { DType } from '../../graph/dtype.js'
import { abbreviate, type Dim, dimKey, type Expr, substitute, symbol, symbolsOf } from '../../graph/expr.js'
import { type ConstantTensor, type Graph, type Node, type TensorType, usesOf } from '../../graph/graph.js'
import { ownedGraphs } from '../../graph/subgraph.js'
import { findOp, unsupportedError, unsupportedNodes } from '../registry.js'
import { checkDeclared } from './declared.js'
import { formatShape, needSizes, ValueNeededError } from './helpers.js'
import { type InferenceScope, NodeInference } from './infer-node.js'
import type { InferContext, Inferred, OpDef } from './opdef.js'
import { fitsType, integersOf, readSymbolName } from './values.js'

/** Where the value of a symbol comes from; the plan says the same of tensors (`SymbolSource`). */
export type SymbolOrigin =
  /** a size of an input: an axis of at least one input is this symbol alone */
  | { readonly kind: 'input' }
  /** element `index` of an integer value, read when that has been computed */
  | { readonly kind: 'data'; readonly value: string; readonly index: number }
  /** a size of a value that its node provides while running */
  | { readonly kind: 'dim'; readonly value: string; readonly axis: number }
  /** of an owned graph: a symbol of the graph around it */
  | { readonly kind: 'outer' }

/** Reads a constant when somebody asks for it: few of them are sizes. */
interface KnownValues {
  get(name: string): readonly Dim[] | undefined
  has(name: string): boolean
}

export interface Inference {
  readonly types: ReadonlyMap<string, TensorType>
  /** Elements of small integer values that are known as expressions, constants included. */
  readonly values: KnownValues
  /** Values whose elements are read while running, as the symbols that stand for them. */
  readonly reads: ReadonlyMap<string, readonly Dim[]>
  readonly symbols: ReadonlyMap<string, SymbolOrigin>
  /** Of owned graphs, by `nestedKey`. */
  readonly nested: ReadonlyMap<string, Inference>
  /** Partial inference: why values have no type, or no shape; those of owned graphs have their own. */
  readonly open: readonly ValueNeededError[]
}

export interface InferOptions {
  /** Numbers for symbols, by their names in the file (onnxruntime's freeDimensionOverrides). */
  readonly overrides?: Readonly<Record<string, number>>
  /** Types of inputs that differ from what the graph says. */
  readonly inputTypes?: ReadonlyMap<string, TensorType>
  /** true: what only feeds can tell stays open (no type, or no shape) where it would be a ValueNeededError. Default false. */
  readonly partial?: boolean
}

export function nestedKey(node: Node, attribute: string): string {
  return `${node.name}/${attribute}`
}

/** A pass that changes nothing returns the graph that it was given, and the next pass asks for the same inference. */
interface Latest extends InferOptions {
  readonly inference: Inference
}
const latest = new WeakMap<Graph, Latest>()

export function inferGraph(graph: Graph, options: InferOptions = {}): Inference {
  const { overrides, inputTypes, partial = false } = options
  const known = inputTypes ? undefined : latest.get(graph)
  if (known && known.overrides === overrides && known.partial === partial) return known.inference
  const unsupported = unsupportedNodes(graph)
  if (unsupported.length > 0) throw unsupportedError(unsupported)
  const inference = new GraphInference(graph, options, undefined, { nodes: 0 }, 0).run()
  if (!inputTypes) latest.set(graph, { overrides, partial, inference })
  return inference
}

/** Inference visits a nested loop a few times; this bounds the work that a hostile file can cause. */
const MAX_NODES = 20_000_000
const MAX_DEPTH = 32

/** What an owned graph is given: its inputs, captures included. */
interface Surroundings {
  readonly given: ReadonlyMap<string, Inferred & { readonly constant?: ConstantTensor }>
  readonly symbols: ReadonlyMap<string, SymbolOrigin>
}

class GraphInference implements InferenceScope {
  private readonly types = new Map<string, TensorType>()
  private readonly computed = new Map<string, readonly Dim[]>()
  private readonly values: KnownValues = {
    get: (name) => {
      const values = this.computed.get(name)
      if (values) return values
      const constant = this.graph.constants.get(name)
      return constant && integersOf(constant)
    },
    has: (name) => this.values.get(name) !== undefined,
  }
  private readonly reads = new Map<string, readonly Dim[]>()
  /** Integers that a Cast made floats: numbers as before to whoever counts with them, as the float form of Range does. */
  private readonly casts = new Map<string, readonly Dim[]>()
  private readonly symbols = new Map<string, SymbolOrigin>()
  private readonly nested = new Map<string, Inference>()
  private readonly open: ValueNeededError[] = []

  constructor(
    private readonly graph: Graph,
    private readonly options: InferOptions,
    private readonly around: Surroundings | undefined,
    private readonly work: { nodes: number },
    private readonly depth: number,
  ) {}

  run(): Inference {
    for (const [name, tensor] of this.graph.constants) {
      this.types.set(name, { dtype: tensor.dtype, shape: tensor.dims })
    }
    for (const [name, { type }] of this.graph.states ?? []) this.types.set(name, type)
    if (this.around) this.takeGiven(this.around)
    else for (const name of this.graph.inputs) this.types.set(name, this.inputType(name))
    for (const node of this.graph.nodes) this.inferNode(node)
    for (const name of this.graph.outputs) {
      if (!this.types.has(name) && !this.options.partial)
        throw missing(name, `output "${name}" of graph "${this.graph.name}"`)
    }
    const { types, values, reads, symbols, nested, open } = this
    return { types, values, reads, symbols, nested, open }
  }

  private takeGiven(around: Surroundings): void {
    for (const name of around.symbols.keys()) this.symbols.set(name, { kind: 'outer' })
    for (const [name, given] of around.given) {
      this.types.set(name, { dtype: given.dtype, shape: given.shape })
      if (given.values) this.computed.set(name, given.values)
      for (const d of given.shape ?? []) {
        for (const s of symbolsOf(d)) if (!this.symbols.has(s)) this.symbols.set(s, { kind: 'input' })
      }
    }
  }

  /** Type of an input: overridden, symbols declared, unnamed sizes named. */
  private inputType(name: string): TensorType {
    const type = this.options.inputTypes?.get(name) ?? this.graph.types.get(name)
    if (type === undefined) throw missing(name, `input "${name}"`)
    if (type.dtype === 'string') {
      throw new OctavoError('ERR_UNSUPPORTED_OP', `input "${name}": tensors of text are not supported`, {
        tensor: name,
      })
    }
    if (type.shape === undefined) {
      if (this.options.partial) return type
      throw new ValueNeededError(
        'ERR_MODEL_INVALID',
        `input "${name}": expected a shape (at least the rank), the model has none`,
      )
    }
    const shape = type.shape.map((d, axis) => this.inputDim(name, axis, d))
    return { dtype: type.dtype, shape }
  }

  private inputDim(input: string, axis: number, declared: Dim): Dim {
    const overridden = this.override(declared)
    if (typeof overridden === 'number') {
      if (Number.isSafeInteger(overridden) && overridden >= 0) return overridden
      throw new OctavoError(
        'ERR_MODEL_INVALID',
        `input "${input}", axis ${axis}: expected a size of at least 0, got ${overridden}`,
        {
          tensor: input,
        },
      )
    }
    const known = symbolName(overridden)
    const name = known ?? this.freshSymbol(`${input.replace(/\W/g, '_')}_${axis}`)
    this.symbols.set(name, { kind: 'input' })
    return symbol(name)
  }

  private override(d: Dim): Dim {
    const { overrides } = this.options
    if (overrides === undefined || typeof d === 'number') return d
    return overrides[dimKey(d)] ?? substitute(d, (name) => overrides[name])
  }

  private freshSymbol(base: string): string {
    let name = base
    for (let n = 1; this.symbols.has(name); n++) name = `${base}_${n}`
    return name
  }

  private inferNode(node: Node): void {
    if (++this.work.nodes > MAX_NODES)
      throw new OctavoError('ERR_LIMIT', `graph "${this.graph.name}": too many nested nodes to infer`)
    const def = findOp(node.domain, node.opType)
    if (!def) throw unsupportedError(unsupportedNodes(this.graph))
    const context = new NodeInference(this, node)
    const [leastIn, mostIn] = def.inputs
    const [leastOut, mostOut] = def.outputs
    if (node.inputs.length > mostIn || node.inputs.length < leastIn) {
      context.fail(`${range(leastIn, mostIn)} inputs, got ${node.inputs.length}`)
    }
    if (node.outputs.length > mostOut || node.outputs.length < leastOut) {
      context.fail(`${range(leastOut, mostOut)} outputs, got ${node.outputs.length}`)
    }
    for (let i = 0; i < leastIn; i++) {
      if (node.inputs[i] === '') context.fail(`input ${i}, got none`)
    }
    const inferred = this.outputsOf(node, def, context)
    if (!inferred) return
    for (const [i, name] of node.outputs.entries()) {
      if (name === '') continue
      const type = inferred[i]
      if (type === undefined)
        throw missing(name, `output ${i} ("${name}") of ${node.opType} node "${node.name}"`)
      this.define(node, context, name, type)
    }
  }

  /** Types of the outputs; undefined where partial inference leaves them open. */
  private outputsOf(node: Node, def: OpDef, context: InferContext): readonly Inferred[] | undefined {
    if (!this.options.partial) return def.infer(context)
    if (!usesOf(node).every((name) => this.types.has(name))) return this.leaveOpen(node, context)
    try {
      return def.infer(context)
    } catch (error) {
      if (!(error instanceof ValueNeededError)) throw error
      this.open.push(error)
      return this.leaveOpen(node, context)
    }
  }

  /** Of the outputs, what the file declares of their elements is known; of branches, what they make of what they capture. */
  private leaveOpen(node: Node, context: InferContext): undefined {
    for (const name of node.outputs) {
      const dtype = this.graph.types.get(name)?.dtype
      if (name !== '' && dtype !== undefined) this.types.set(name, { dtype })
    }
    for (const [attribute, { inputs }] of ownedGraphs(node)) {
      // What a loop carries may have another rank in the next iteration.
      if (inputs.length > 0) this.nested.delete(nestedKey(node, attribute))
      else if (!this.nested.has(nestedKey(node, attribute))) {
        try {
          context.subgraph(attribute, [])
        } catch (error) {
          if (!(error instanceof ValueNeededError)) throw error
        }
      }
    }
    return undefined
  }

  private define(node: Node, context: InferContext, name: string, inferred: Inferred): void {
    const declared = this.graph.types.get(name)
    const type: TensorType = {
      dtype: inferred.dtype,
      shape: (inferred.shape ?? this.declaredShape(context, node, name, declared))?.map(abbreviate),
    }
    for (const d of type.shape ?? []) {
      if (typeof d === 'number' && !(Number.isSafeInteger(d) && d >= 0)) {
        context.fail(`sizes of at least 0 for "${name}", got ${formatShape(type.shape ?? [])}`)
      }
    }
    if (declared && !this.options.inputTypes) checkDeclared(context, name, type, declared)
    this.types.set(name, type)
    const values = inferred.values?.map(abbreviate)
    if (values && isSizeType(type.dtype, values)) {
      this.computed.set(name, values)
    } else if (values && node.opType === 'Cast' && type.dtype === 'float32') this.casts.set(name, values)
  }

  /** What the file declares, where inference does not know the rank: its symbols that nobody else defines are provided. */
  private declaredShape(
    context: InferContext,
    node: Node,
    name: string,
    declared: TensorType | undefined,
  ): readonly Dim[] | undefined {
    const output = node.outputs.indexOf(name)
    return declared?.shape?.map((d, axis) => {
      const size = this.override(d)
      return [...symbolsOf(size)].every((s) => this.symbols.has(s)) ? size : context.provided(output, axis)
    })
  }

  typeOf(name: string): TensorType | undefined {
    return this.types.get(name)
  }

  constantOf(name: string): ConstantTensor | undefined {
    return this.graph.constants.get(name) ?? this.around?.given.get(name)?.constant
  }

  valuesOf(name: string): readonly Dim[] | undefined {
    return this.values.get(name) ?? this.reads.get(name) ?? this.casts.get(name)
  }

  read(name: string, count: number): readonly Dim[] {
    const symbols = Array.from({ length: count }, (_, index) => {
      const symbolName = readSymbolName(name, index)
      this.symbols.set(symbolName, { kind: 'data', value: name, index })
      return symbol(symbolName)
    })
    this.reads.set(name, symbols)
    return symbols
  }

  provide(value: string, axis: number): Expr {
    const name = `${value}.${axis}`
    const known = this.symbols.get(name)
    if (known?.kind === 'dim' && known.value === value) return symbol(name)
    const fresh = this.freshSymbol(name)
    this.symbols.set(fresh, { kind: 'dim', value, axis })
    return symbol(fresh)
  }

  inferNested(
    context: InferContext,
    node: Node,
    attribute: string,
    inputs: readonly TensorType[],
  ): readonly Inferred[] {
    const owned = node.attributes[attribute]
    if (owned?.kind !== 'graph') return context.fail(`a graph as attribute "${attribute}"`)
    if (this.depth >= MAX_DEPTH) return context.fail(`graphs nested at most ${MAX_DEPTH} deep`)
    const graph = owned.value
    if (graph.inputs.length !== inputs.length) {
      context.fail(`graph "${attribute}" to have ${inputs.length} inputs, got ${graph.inputs.length}`)
    }
    const given = new Map<string, Inferred & { readonly constant?: ConstantTensor }>()
    for (const [i, name] of graph.inputs.entries()) given.set(name, inputs[i] as TensorType)
    graph.captures.forEach((name, i) => {
      const outer = node.captures?.[i]
      const type = outer === undefined ? undefined : this.types.get(outer)
      if (this.options.partial && type === undefined) return
      if (outer === undefined || type === undefined)
        throw missing(name, `captured value "${name}" of node "${node.name}"`)
      given.set(name, { ...type, values: this.valuesOf(outer), constant: this.constantOf(outer) })
    })
    const { overrides, partial } = this.options
    const options = { overrides, partial }
    const around: Surroundings = { given, symbols: this.symbols }
    const inference = new GraphInference(graph, options, around, this.work, this.depth + 1).run()
    this.nested.set(nestedKey(node, attribute), inference)
    return graph.outputs.map((name) => {
      const type =
        inference.types.get(name) ??
        needSizes(context, `output "${name}" of graph "${attribute}" to have a known type`)
      const values = inference.values.get(name)
      const seen = values?.every((v) => this.defines(v))
      return seen ? { ...type, values } : type
    })
  }

  defines(d: Dim): boolean {
    return [...symbolsOf(d)].every((s) => this.symbols.has(s))
  }
}

/** The name of a size that is one symbol, which the file may call anything but what elements that are read are called. */
function symbolName(d: Dim): string | undefined {
  if (typeof d === 'number' || d.constant !== 0 || d.terms.length !== 1) return undefined
  const [term] = d.terms
  const atom = term?.coefficient === 1 && term.atoms.length === 1 ? term.atoms[0] : undefined
  return atom?.kind === 'symbol' && !atom.name.includes('[') ? atom.name : undefined
}

/** Values that the step Values can write, or that are constants. */
function isSizeType(dtype: DType, values: readonly Dim[]): boolean {
  if (!fitsType(dtype, values)) return false
  return (
    dtype === 'int64' || dtype === 'int32' || (dtype === 'bool' && values.every((v) => typeof v === 'number'))
  )
}

function range(least: number, most: number): string {
  if (least === most) return String(least)
  return most === Number.POSITIVE_INFINITY ? `at least ${least}` : `${least} to ${most}`
}

function missing(tensor: string, what: string): OctavoError {
  return new OctavoError('ERR_MODEL_INVALID', `${what}: expected a type, the model has none`, { tensor })
}
