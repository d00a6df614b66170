/**
 * A plan in the making: tensors only grow, steps are replaced. Step passes (`lib/compile/steps/`) take a draft and return
 * one; `DraftIndex` answers who makes and who reads a tensor, aliases resolved.
 */

import type { DType } from '../graph/dtype.js'
import { type Dim, dimKey, sameDim } from '../graph/expr.js'
import type { PlanStep, PlanTensor } from './plan.js'

export interface Draft {
  readonly tensors: PlanTensor[]
  readonly steps: readonly PlanStep[]
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  /** Tensors that must exist besides the outputs: those that symbols are read from. */
  readonly kept: readonly number[]
}

export class DraftIndex {
  /** All by tensor. */
  private readonly producers: (PlanStep | undefined)[]
  private readonly consumers: (PlanStep[] | undefined)[]
  private readonly aliases: (number[] | undefined)[]
  private readonly pinned: Set<number>

  constructor(private readonly draft: Draft) {
    const { tensors, steps } = draft
    this.producers = new Array(tensors.length).fill(undefined)
    this.consumers = new Array(tensors.length).fill(undefined)
    this.aliases = new Array(tensors.length).fill(undefined)
    for (let s = 0; s < steps.length; s++) this.addStep(steps[s] as PlanStep)
    for (let t = 0; t < tensors.length; t++) {
      const { kind, of } = tensors[t] as PlanTensor
      if (kind !== 'alias' || of === undefined) continue
      const list = this.aliases[of]
      if (list) list.push(t)
      else this.aliases[of] = [t]
    }
    this.pinned = new Set([...draft.outputs, ...draft.kept])
  }

  private addStep(step: PlanStep): void {
    const { inputs, outputs } = step
    for (let i = 0; i < outputs.length; i++) {
      const t = outputs[i] as number
      if (t >= 0) this.producers[t] = step
    }
    for (let i = 0; i < inputs.length; i++) {
      const t = inputs[i] as number
      if (t < 0) continue
      const list = this.consumers[t]
      if (list === undefined) this.consumers[t] = [step]
      // A step that reads a tensor twice is the last that was added.
      else if (list[list.length - 1] !== step) list.push(step)
    }
  }

  /** The step that writes t itself, not what t is an alias of. */
  producer(t: number): PlanStep | undefined {
    return this.producers[t]
  }

  tensor(t: number): PlanTensor {
    const tensor = this.draft.tensors[t]
    if (!tensor) throw new RangeError(`plan has no tensor ${t}`)
    return tensor
  }

  /** The tensor whose bytes t has. */
  root(t: number): number {
    let tensor = this.tensor(t)
    while (tensor.kind === 'alias' && tensor.of !== undefined) {
      t = tensor.of
      tensor = this.tensor(t)
    }
    return t
  }

  /** True when nothing reads the bytes of t or of an alias of it. */
  unread(t: number): boolean {
    return this.readers(t).length === 0 && !this.isPinned(t)
  }

  /** Steps that read t or an alias of it. */
  readers(t: number): readonly PlanStep[] {
    const direct = this.consumers[t] ?? []
    const aliases = this.aliases[t]
    if (aliases === undefined) return direct
    return [...new Set([...direct, ...aliases.flatMap((a) => this.readers(a))])]
  }

  /** True when t, or an alias of it, is an output or feeds a symbol. */
  isPinned(t: number): boolean {
    return this.pinned.has(t) || (this.aliases[t] ?? []).some((a) => this.isPinned(a))
  }

  /** The only step that reads t, itself and not through an alias; undefined when there are others or t is pinned. */
  soleReader(t: number): PlanStep | undefined {
    if (this.isPinned(t)) return undefined
    const direct = this.consumers[t] ?? []
    return direct.length === 1 && this.readers(t).length === 1 ? direct[0] : undefined
  }
}

/** The constant that t is, aliases resolved. */
function constantOf(draft: Draft, t: number): PlanTensor | undefined {
  let tensor = draft.tensors[t]
  while (tensor?.kind === 'alias' && tensor.of !== undefined) tensor = draft.tensors[tensor.of]
  return tensor?.kind === 'constant' ? tensor : undefined
}

export function isConstant(draft: Draft, t: number): boolean {
  return constantOf(draft, t) !== undefined
}

/** Bytes of a constant tensor, aliases resolved, read where they are in a file; undefined when it is not constant. */
export function constantBytes(draft: Draft, t: number): Uint8Array | undefined {
  return constantOf(draft, t)?.data
}

export function addTensor(draft: Draft, tensor: PlanTensor): number {
  draft.tensors.push(tensor)
  return draft.tensors.length - 1
}

/** A tensor with the bytes of `of` and other sizes. The same tensor where nothing differs. */
export function addAlias(draft: Draft, of: number, dims: readonly Dim[], dtype?: DType): number {
  const source = draft.tensors[of] as PlanTensor
  const type = dtype ?? source.dtype
  const same =
    source.dtype === type &&
    source.dims.length === dims.length &&
    source.dims.every((d, i) => sameDim(d, dims[i] as Dim))
  return same ? of : addTensor(draft, { name: source.name, dtype: type, dims, kind: 'alias', of })
}

export function sameDims(a: readonly Dim[], b: readonly Dim[]): boolean {
  return a.length === b.length && a.every((d, i) => dimKey(d) === dimKey(b[i] as Dim))
}
