/** What `OpDef.lower` is given: one node, its values as tensors of the plan, and the steps it adds. */
import { OctavoError } from '../../errors.js'
import { type Dim, symbol, symbolsOf } from '../../graph/expr.js'
import type { ConstantTensor, Node } from '../../graph/graph.js'
import { nestedKey } from '../../ops/core/infer.js'
import type { Layout, LowerContext } from '../../ops/core/opdef.js'
import { ints, type NestedPlan } from '../../plan/attributes.js'
import { type BuiltStep, steps } from '../../plan/build.js'
import { addAlias, addTensor } from '../../plan/draft.js'
import type { StepKind } from '../../plan/plan.js'
import type { KnownType, LoweringScope } from './scope.js'
import { addStored, identityLayout, physicalDims } from './values.js'

export class NodeLowering implements LowerContext {
  constructor(
    private readonly owner: LoweringScope,
    readonly node: Node,
  ) {}

  has(i: number): boolean {
    return (this.node.inputs[i] ?? '') !== ''
  }

  hasOutput(i: number): boolean {
    return this.owner.isWanted(this.node.outputs[i] ?? '')
  }

  inputType(i: number): KnownType {
    return this.owner.typeOf(this.name(this.node.inputs, i))
  }

  outputType(i: number): KnownType {
    return this.owner.typeOf(this.name(this.node.outputs, i))
  }

  constant(i: number): ConstantTensor | undefined {
    return this.has(i) ? this.owner.constantOf(this.name(this.node.inputs, i)) : undefined
  }

  values(i: number): readonly Dim[] | undefined {
    return this.has(i) ? this.owner.info.values.get(this.name(this.node.inputs, i)) : undefined
  }

  valuesOrRead(i: number): readonly Dim[] {
    const name = this.name(this.node.inputs, i)
    const known = this.owner.info.values.get(name)
    if (known) return known
    return this.owner.info.reads.get(name) ?? this.fail(`values of '${name}' that inference did not ask for`)
  }

  input(i: number, layout?: Layout): number {
    if (!this.has(i)) return -1
    const name = this.name(this.node.inputs, i)
    return this.owner.values.read(name, layout ?? identityLayout(this.owner.typeOf(name).shape.length))
  }

  output(i: number, layout?: Layout): number {
    return this.makeOutput(i, 'scratch', layout)
  }

  providedOutput(i: number): number {
    return this.makeOutput(i, 'provided')
  }

  private makeOutput(i: number, kind: 'scratch' | 'provided', layout?: Layout): number {
    if (!this.hasOutput(i)) return -1
    const name = this.name(this.node.outputs, i)
    const type = this.owner.typeOf(name)
    const chosen = layout ?? identityLayout(type.shape.length)
    const tensor = addTensor(this.owner.draft, {
      name,
      dtype: type.dtype,
      dims: physicalDims(type.shape, chosen),
      kind,
    })
    this.owner.values.define(name, tensor, chosen)
    return tensor
  }

  sharedLayout(): Layout {
    const rank = this.outputType(this.firstWanted()).shape.length
    for (let i = 0; i < this.node.inputs.length; ++i) {
      if (!this.has(i) || this.constant(i)) continue
      const layout = this.owner.values.layoutOf(this.name(this.node.inputs, i))
      if (layout && layout.length === rank && layout.some((axis, p) => axis !== p)) return layout
    }
    return identityLayout(rank)
  }

  broadcastInput(i: number, layout: Layout): number {
    const shape = this.inputType(i).shape
    if (shape.length === layout.length) return this.input(i, layout)
    const padded: Dim[] = [...Array<Dim>(layout.length - shape.length).fill(1), ...shape]
    const flat = this.alias(this.input(i), padded)
    const dims = physicalDims(padded, layout)
    const moving = layout.filter((axis) => padded[axis] !== 1)
    if (moving.every((axis, k) => k === 0 || axis > (moving[k - 1] as number))) return this.alias(flat, dims)
    const tensor = this.scratch(this.inputType(i).dtype, dims)
    this.step(steps.Transpose({ x: flat }, { perm: ints(...layout) }), [tensor])
    return tensor
  }

  scratch(dtype: KnownType['dtype'], dims: readonly Dim[], hint?: string): number {
    const name = hint === undefined ? `${this.node.name}:` : `${this.node.name}:${hint}`
    return addTensor(this.owner.draft, { name, dtype, dims, kind: 'scratch' })
  }

  constantTensor(dtype: KnownType['dtype'], dims: readonly number[], data: Uint8Array): number {
    return addTensor(this.owner.draft, {
      name: `${this.node.name}:`,
      dtype,
      dims,
      kind: 'constant',
      data,
    })
  }

  constantAs(i: number, dtype: KnownType['dtype'], dims: readonly number[]): number {
    const constant = this.constant(i) ?? this.fail(`a constant as input ${i}`)
    return addStored(this.owner.draft, this.name(this.node.inputs, i), constant, 'constant', { dtype, dims })
  }

  alias(tensor: number, dims: readonly Dim[], dtype?: KnownType['dtype']): number {
    return addAlias(this.owner.draft, tensor, dims, dtype)
  }

  outputAlias(i: number, tensor: number, layout?: Layout): void {
    if (!this.hasOutput(i)) return
    const type = this.outputType(i)
    const chosen = layout ?? identityLayout(type.shape.length)
    const alias = this.alias(tensor, physicalDims(type.shape, chosen), type.dtype)
    this.owner.values.define(this.name(this.node.outputs, i), alias, chosen)
  }

  capture(k: number): number {
    const name = this.name(this.node.captures ?? [], k)
    return this.owner.values.read(name, identityLayout(this.owner.typeOf(name).shape.length))
  }

  readSymbol(size: Dim, tensor: number, index: number): void {
    for (const name of symbolsOf(size)) this.owner.readSymbol(name, tensor, index)
  }

  step(step: BuiltStep, outputs: readonly number[], kind: StepKind = step.kind): void {
    const nodes = this.node.origin ?? [this.node.name]
    this.owner.steps.push({ ...step, outputs, nodes, kind })
  }

  nested(attribute: string): { readonly plan: NestedPlan; readonly symbols: readonly Dim[] } {
    const owned = this.node.attributes[attribute]
    const info = this.owner.info.nested.get(nestedKey(this.node, attribute))
    if (owned?.kind !== 'graph' || !info) return this.fail(`a graph in attribute '${attribute}'`)
    const captured = new Map<string, ConstantTensor>()
    owned.value.captures.forEach((inner, i) => {
      const constant = this.owner.constantOf(this.node.captures?.[i] ?? '')
      if (constant) captured.set(inner, constant)
    })
    const { plan, symbols } = this.owner.lowerOwned(owned.value, info, captured)
    const outer: Dim[] = []
    for (const [name, source] of symbols) if (source.kind === 'outer') outer[source.index] = symbol(name)
    return { plan: { kind: 'plan', value: plan }, symbols: outer }
  }

  fail(expected: string): never {
    const { name, opType } = this.node
    throw new OctavoError('ERR_UNSUPPORTED_OP', `Node '${name}' (${opType}): ${expected}`, {
      node: name,
      opType,
    })
  }

  private firstWanted(): number {
    return Math.max(
      0,
      this.node.outputs.findIndex((_, i) => this.hasOutput(i)),
    )
  }

  private name(names: readonly string[], i: number): string {
    const name = names[i] ?? ''
    return name === '' ? this.fail(`input or output ${i} is missing`) : name
  }
}
