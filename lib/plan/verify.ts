/**
 * Whether a plan, or a draft of one, is what the table of steps allows: operands, element types, ranks, attributes;
 * every tensor made before it is read, and once; aliases that end; states that nothing reads after they are written.
 */
import { DTYPES, type DType } from '../graph/dtype.js'
import type { Draft } from './draft.js'
import type { Plan, PlanAttribute, PlanStep, PlanTensor } from './plan.js'
import { inputSlots, outputSlots, type Slot } from './slots.js'
import { findStep } from './steps/index.js'
import type { AttributeSpec, StepSpec } from './steps/spec.js'
import { TYPES } from './steps/types.js'

/** Throws an Error that names the step, what was expected, and what came. */
export function verifyPlan(plan: Plan | Draft): void {
  new Verifier(plan).run()
}

class Verifier {
  /** Tensors that have been made, by their own index: aliases count as what they are an alias of. */
  private readonly made = new Set<number>()
  private readonly writtenStates = new Set<number>()

  constructor(private readonly plan: Plan | Draft) {}

  run(): void {
    const { tensors, inputs, outputs, steps } = this.plan
    for (let t = 0; t < tensors.length; t++) this.tensorIsSound(t)
    for (const t of inputs) {
      if (this.tensor(t, 'the plan').kind !== 'input')
        fail('the plan', `input ${this.name(t)} of kind 'input'`)
      this.made.add(t)
    }
    for (const step of steps) this.step(step)
    const kept = 'kept' in this.plan ? this.plan.kept : []
    for (const t of [...outputs, ...kept]) this.isMade('the plan', t)
  }

  private name(t: number): string {
    return `'${this.plan.tensors[t]?.name ?? ''}' (${t})`
  }

  private tensor(t: number, where: string): PlanTensor {
    return this.plan.tensors[t] ?? fail(where, `a tensor below ${this.plan.tensors.length}, got ${t}`)
  }

  private tensorIsSound(t: number): void {
    const tensor = this.tensor(t, 'the plan')
    const where = `tensor ${this.name(t)}`
    if (tensor.kind === 'alias') this.root(t)
    else if (tensor.of !== undefined) fail(where, `'of' in aliases only, got kind '${tensor.kind}'`)
    if (tensor.kind !== 'constant') return
    if (tensor.file) return
    if (!tensor.data) fail(where, 'the bytes of a constant')
    const sizes = tensor.dims.map((d) => (typeof d === 'number' ? d : fail(where, 'sizes that are numbers')))
    const bits = sizes.reduce((a, b) => a * b, DTYPES[tensor.dtype].bits)
    const bytes = Math.ceil(bits / 8)
    if (tensor.data?.length !== bytes) fail(where, `${bytes} bytes, got ${tensor.data?.length}`)
  }

  /** The tensor whose bytes t has. */
  private root(t: number): number {
    let at = t
    for (let length = 0; ; length++) {
      const { kind, of } = this.tensor(at, `tensor ${this.name(t)}`)
      if (kind !== 'alias') return at
      if (of === undefined) return fail(`tensor ${this.name(at)}`, 'the tensor that it is an alias of')
      if (length > this.plan.tensors.length)
        return fail(`tensor ${this.name(t)}`, 'an alias that is none of itself')
      at = of
    }
  }

  private isMade(where: string, t: number): void {
    const root = this.root(t)
    const { kind } = this.tensor(root, where)
    if (kind === 'constant' || kind === 'state' || this.made.has(root)) return
    fail(where, `tensor ${this.name(t)} to be made before it is read`)
  }

  private step(step: PlanStep): void {
    const where = `step ${step.op}${step.nodes.length > 0 ? ` of ${step.nodes.slice(0, 3).join(', ')}` : ''}`
    const spec = findStep(step.op) ?? fail(where, 'a step of the table')
    const read = this.operands(where, 'input', inputSlots(spec), step.inputs)
    const asked = step.attributes.reads_updated
    for (const [i, t] of step.inputs.entries()) {
      if (t < 0) continue
      this.isMade(where, t)
      const asks = asked?.kind === 'ints' && asked.value.includes(i)
      if (this.writtenStates.has(this.root(t)) && !asks)
        fail(where, `state ${this.name(t)} not to be read after its write`)
    }
    this.overwrites(where, spec, step)
    this.operands(where, 'output', outputSlots(spec), step.outputs, read)
    for (let i = 0; i < step.outputs.length; i++) this.output(where, spec, i, step.outputs[i] as number)
    this.attributes(where, spec, step.attributes)
  }

  /** Number, presence, element types and ranks. Gives the types of the slots by their names. */
  private operands(
    where: string,
    what: string,
    slots: readonly Slot[],
    tensors: readonly number[],
    read: ReadonlyMap<string, DType> = new Map(),
  ): ReadonlyMap<string, DType> {
    const repeated = slots.filter((slot) => slot.repeats)
    const fixed = slots.length - repeated.length
    const rest = tensors.length - fixed
    if (repeated.length === 0 ? rest > 0 : rest > 0 && rest % repeated.length !== 0) {
      fail(where, `at most ${slots.length} ${what}s, got ${tensors.length}`)
    }
    const types = new Map<string, DType>()
    const count = Math.max(fixed, tensors.length)
    for (let i = 0; i < count; i++) {
      const slot = (i < fixed ? slots[i] : repeated[(i - fixed) % repeated.length]) as Slot
      const t = tensors[i] ?? -1
      if (t >= 0) this.operand(where, slot, t, what === 'input' ? types : read, types)
      else if (!slot.optional) fail(where, `${what} '${slot.name}', got none`)
    }
    for (const name of types.keys()) {
      const scale = slots.find((slot) => slot.name === `${name}_scale`)
      if (what === 'input' && scale && !types.has(scale.name)) fail(where, `'${scale.name}' beside '${name}'`)
    }
    return types
  }

  private operand(
    where: string,
    slot: Slot,
    t: number,
    known: ReadonlyMap<string, DType>,
    types: Map<string, DType>,
  ): void {
    const { dtype, dims } = this.tensor(t, where)
    const allowed: readonly DType[] = TYPES[slot.types]
    if (!allowed.includes(dtype)) fail(where, `'${slot.name}' of type ${allowed.join(' or ')}, got ${dtype}`)
    const like = slot.like === undefined ? undefined : known.get(slot.like)
    if (like !== undefined && like !== dtype)
      fail(where, `'${slot.name}' of type ${like}, as '${slot.like}', got ${dtype}`)
    if (slot.rank !== undefined) {
      const [least, most] = typeof slot.rank === 'number' ? [slot.rank, slot.rank] : slot.rank
      if (dims.length < least || dims.length > most) {
        const expected = least === most ? least : `${least} to ${most}`
        fail(where, `'${slot.name}' of rank ${expected}, got ${dims.length}`)
      }
    }
    types.set(slot.name, dtype)
  }

  private output(where: string, spec: StepSpec, i: number, t: number): void {
    if (t < 0) return
    const { kind } = this.tensor(t, where)
    const writes = Object.keys(spec.outputs)[i]
    const inPlace = spec.inPlace?.includes(writes ?? '') === true
    const isState = kind === 'state'
    if (inPlace ? !isState : !['scratch', 'output', 'provided', 'state'].includes(kind)) {
      fail(
        where,
        `to write a ${inPlace ? 'state' : 'scratch, output or provided tensor, or a state'}, got ${this.name(t)}, ${kind}`,
      )
    }
    if (this.made.has(t)) fail(where, `tensor ${this.name(t)} to be made once`)
    this.made.add(t)
    if (isState) this.writtenStates.add(t)
  }

  /** A state that a step reads and writes is written over, where its operator may do so and both are of the same sizes. */
  private overwrites(where: string, spec: StepSpec, { inputs, outputs }: PlanStep): void {
    const slots = inputSlots(spec)
    for (const written of outputs) {
      if (written < 0 || this.tensor(written, where).kind !== 'state') continue
      for (const [i, t] of inputs.entries()) {
        if (t < 0 || this.root(t) !== written) continue
        const allowed = spec.writesOver?.includes(slots[i]?.name ?? '') === true
        if (!allowed || t !== written || outputs.length > 1)
          fail(where, `not to write state ${this.name(written)} over its input '${slots[i]?.name ?? i}'`)
      }
    }
  }

  private attributes(where: string, spec: StepSpec, attributes: PlanStep['attributes']): void {
    for (const [name, attribute] of Object.entries(attributes)) {
      if (name === 'reads_updated') continue // of any step
      const known = spec.attributes[name] ?? fail(where, `no attribute '${name}'`)
      this.attribute(`${where}, attribute '${name}'`, known, attribute)
    }
    for (const [name, { required }] of Object.entries(spec.attributes)) {
      if (required && attributes[name] === undefined) fail(where, `attribute '${name}'`)
    }
  }

  private attribute(where: string, spec: AttributeSpec, attribute: PlanAttribute): void {
    const one = !spec.type.endsWith('s')
    const kind = spec.type === 'plan' ? 'plan' : one ? `${spec.type}s` : spec.type
    if (attribute.kind !== kind) fail(where, `${kind}, got ${attribute.kind}`)
    if (attribute.kind === 'plan') {
      verifyPlan(attribute.value)
      return
    }
    if (one && attribute.value.length !== 1) fail(where, `one value, got ${attribute.value.length}`)
    for (const value of attribute.value) {
      if (typeof value === 'object' && !spec.symbolic) fail(where, 'constants, got a symbol')
      if (typeof value === 'string' && spec.values && !spec.values.includes(value)) {
        fail(where, `${spec.values.join(', ')}; got '${value}'`)
      }
    }
  }
}

function fail(where: string, expected: string): never {
  throw new Error(`${where}: expected ${expected}`)
}
