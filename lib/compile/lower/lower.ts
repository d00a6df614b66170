/**
 * Graph -> draft: every node declares its steps (`OpDef.lower`) through the context of `lower-node.ts`. Float and
 * generic steps only; `steps/` then turns `DequantizeLinear -> step -> QuantizeLinear` into integer steps.
 */

import { OctavoError } from '../../errors.js'
import { type ConstantTensor, type Graph, type Node, resultsOf } from '../../graph/graph.js'
import { ValueNeededError } from '../../ops/core/helpers.js'
import type { Inference, SymbolOrigin } from '../../ops/core/infer.js'
import { constantFromValues } from '../../ops/core/sizes.js'
import { findOp } from '../../ops/registry.js'
import { ints } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { addTensor, type Draft } from '../../plan/draft.js'
import type { Plan, PlanStep, SymbolSource } from '../../plan/plan.js'
import type { Observation } from '../../statistics/observation.js'
import { NodeLowering } from './lower-node.js'
import { lowerObservation } from './observe.js'
import type { KnownType, LoweringScope, OwnedPlan } from './scope.js'
import { defineStates, updateStates } from './states.js'
import { identityLayout, Values } from './values.js'

export interface LowerOptions {
  readonly observe?: readonly Observation[]
  /** Constants of the graph around, by the names under which this graph captures them. */
  readonly captured?: ReadonlyMap<string, ConstantTensor>
  /** Finishes the plan of an owned graph (the same passes as the main one). */
  readonly finish: (draft: Draft, symbols: ReadonlyMap<string, SymbolSource>) => Plan
}

export interface Lowered {
  readonly draft: Draft
  /** `tensor` of a source is a position in `draft.kept`: step passes renumber tensors. */
  readonly symbols: ReadonlyMap<string, SymbolSource>
}

type ReadOrigin = Extract<SymbolOrigin, { kind: 'data' | 'dim' }>

/** Lowers a graph; `outer`: symbols of the enclosing plan that nested plans receive by position. */
export function lowerGraph(graph: Graph, info: Inference, options: LowerOptions): Lowered {
  return new GraphLowering(graph, info, options).run()
}

class GraphLowering implements LoweringScope {
  readonly steps: PlanStep[] = []
  readonly draft: Draft & { readonly steps: PlanStep[] }
  readonly symbols = new Map<string, SymbolSource>()
  readonly values: Values
  private readonly kept: number[] = []
  private readonly wanted: ReadonlySet<string>
  private readonly observed = new Map<string, readonly Observation[]>()
  /** Symbols that are read from each value once it has been made. */
  private readonly read = new Map<string, { name: string; origin: ReadOrigin }[]>()

  constructor(
    readonly graph: Graph,
    readonly info: Inference,
    readonly options: LowerOptions,
  ) {
    this.draft = { tensors: [], steps: this.steps, inputs: [], outputs: [], kept: [] }
    this.values = new Values(
      this.draft,
      (name) => this.typeOf(name),
      (name) => this.constantOf(name),
    )
    // What the graph captures is observed where it is made.
    const own = (options.observe ?? []).filter((o) => !graph.captures.includes(o.value))
    this.wanted = valuesInUse(graph, info, own)
    for (const o of own) this.observed.set(o.value, [...(this.observed.get(o.value) ?? []), o])
    for (const [name, origin] of info.symbols) {
      if (origin.kind !== 'data' && origin.kind !== 'dim') continue
      const list = this.read.get(origin.value)
      if (list) list.push({ name, origin })
      else this.read.set(origin.value, [{ name, origin }])
    }
  }

  run(): Lowered {
    const inputs = [...this.graph.inputs, ...this.graph.captures].map((name) => this.defineInput(name))
    defineStates(this.graph, this)
    for (const name of [...this.graph.inputs, ...this.graph.captures]) this.afterDefinition(name)
    for (const name of this.graph.states?.keys() ?? []) this.afterDefinition(name)
    // What is computed for other sizes may be a constant for these: it was seen all the same.
    for (const name of this.observed.keys()) if (this.graph.constants.has(name)) this.afterDefinition(name)
    for (const node of this.graph.nodes) this.lowerNode(node)
    const outputs = this.graph.outputs.map((name) => this.defineOutput(name))
    updateStates(this.graph, this)
    this.declareInputSymbols()
    return {
      draft: { ...this.draft, inputs, outputs, kept: this.kept },
      symbols: this.symbols,
    }
  }

  typeOf(name: string): KnownType {
    const type = this.info.types.get(name)
    if (type?.shape) return type as KnownType
    throw new ValueNeededError(
      'ERR_UNSUPPORTED_OP',
      `The number of dimensions of '${name}' cannot be told from the model; Octavo needs the rank of every value.`,
      { tensor: name },
    )
  }

  constantOf(name: string): ConstantTensor | undefined {
    const constant = this.graph.constants.get(name) ?? this.options.captured?.get(name)
    return constant ?? constantFromValues(this.info, name)
  }

  isWanted(name: string): boolean {
    return name !== '' && this.wanted.has(name)
  }

  /** Called when a value has been made: observers and symbols that are read from it. */
  afterDefinition(name: string): void {
    for (const observation of this.observed.get(name) ?? []) lowerObservation(this, observation)
    for (const { name: symbolName, origin } of this.read.get(name) ?? []) {
      if (this.symbols.has(symbolName)) continue
      const tensor = this.values.read(name, identityLayout(this.typeOf(name).shape.length))
      const kept = this.kept.push(tensor) - 1
      const source: SymbolSource =
        origin.kind === 'data'
          ? { kind: 'data', tensor: kept, index: origin.index }
          : { kind: 'dim', tensor: kept, axis: origin.axis }
      this.symbols.set(symbolName, source)
    }
  }

  readSymbol(name: string, tensor: number, index: number): void {
    this.symbols.set(name, { kind: 'data', tensor: this.kept.push(tensor) - 1, index })
  }

  private lowerNode(node: Node): void {
    if (!node.outputs.some((name) => this.isWanted(name))) return
    const known = node.outputs.filter((name) => this.isWanted(name))
    if (known.every((name) => this.info.values.has(name))) {
      for (const name of known) this.defineFromValues(node, name)
    } else {
      const op = findOp(node.domain, node.opType)
      if (!op?.lower) {
        throw new OctavoError(
          'ERR_UNSUPPORTED_OP',
          `Node '${node.name}' (${node.opType}) cannot run on its own.`,
          { node: node.name, opType: node.opType },
        )
      }
      op.lower(new NodeLowering(this, node))
    }
    for (const name of known) this.afterDefinition(name)
  }

  /** Shape arithmetic: the elements are expressions, so the computation is one small step, or a constant. */
  private defineFromValues(node: Node, name: string): void {
    const constant = constantFromValues(this.info, name)
    if (constant) return
    const type = this.typeOf(name)
    const tensor = addTensor(this.draft, {
      name,
      dtype: type.dtype,
      dims: type.shape,
      kind: 'scratch',
    })
    const values = steps.Values({}, { values: ints(...(this.info.values.get(name) ?? [])) })
    this.steps.push({ ...values, outputs: [tensor], nodes: [node.name] })
    this.values.define(name, tensor, identityLayout(type.shape.length))
  }

  private defineInput(name: string): number {
    const type = this.typeOf(name)
    const tensor = addTensor(this.draft, { name, dtype: type.dtype, dims: type.shape, kind: 'input' })
    this.values.define(name, tensor, identityLayout(type.shape.length))
    return tensor
  }

  /** An output is a tensor of its own that a step writes: aliases, inputs and constants are copied. */
  private defineOutput(name: string): number {
    const type = this.typeOf(name)
    const source = this.values.read(name, identityLayout(type.shape.length))
    const tensor = addTensor(this.draft, { name, dtype: type.dtype, dims: type.shape, kind: 'output' })
    this.steps.push({ ...steps.Copy({ x: source }), outputs: [tensor], nodes: [] })
    return tensor
  }

  /** Symbols of input sizes; those of the enclosing plan come by position. */
  private declareInputSymbols(): void {
    let outer = 0
    for (const [name, origin] of this.info.symbols) {
      if (this.symbols.has(name)) continue
      if (origin.kind === 'input') this.symbols.set(name, { kind: 'input' })
      else if (origin.kind === 'outer') this.symbols.set(name, { kind: 'outer', index: outer++ })
    }
  }

  lowerOwned(graph: Graph, info: Inference, captured: ReadonlyMap<string, ConstantTensor>): OwnedPlan {
    const { finish, observe } = this.options
    const { draft, symbols } = lowerGraph(graph, info, { observe, finish, captured })
    return { plan: finish(draft, symbols), symbols }
  }
}

/** Values that reach an output, a symbol or an observer; the rest is not lowered. Sizes that are known need no computation. */
function valuesInUse(graph: Graph, info: Inference, observe: readonly Observation[]): ReadonlySet<string> {
  const wanted = new Set<string>([...resultsOf(graph), ...observe.map((o) => o.value)])
  for (const origin of info.symbols.values()) {
    if (origin.kind === 'data' || origin.kind === 'dim') wanted.add(origin.value)
  }
  for (let i = graph.nodes.length - 1; i >= 0; --i) {
    const node = graph.nodes[i] as Node
    const made = node.outputs.filter((name) => wanted.has(name))
    if (made.length === 0 || made.every((name) => info.values.has(name))) continue
    for (const name of [...node.inputs, ...(node.captures ?? [])]) if (name !== '') wanted.add(name)
  }
  return wanted
}
