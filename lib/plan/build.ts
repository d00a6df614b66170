/**
 * Typed builders, one per step of the table: `steps.QConv({ x, w, y, bias }, { group: ints(2) })`. Operands are given by
 * name, quantized ones with their parameters; -1 and undefined are an absent operand.
 */
import type { FloatsAttribute, IntsAttribute, NestedPlan, TextsAttribute } from './attributes.js'
import type { Parameters, QuantizedOperand } from './operands.js'
import type { PlanAttribute, PlanStep } from './plan.js'
import { STEPS, type StepName } from './steps/index.js'
import type { AttributeSpec, OperandKind, OperandSpec, StepSpec } from './steps/spec.js'

/** A step without its place in a plan: what it writes, and the nodes that it computes. */
export type BuiltStep = Pick<PlanStep, 'op' | 'inputs' | 'attributes' | 'kind'>

type One<O> = O extends { readonly kind: 'quantized' | 'weights' }
  ? QuantizedOperand
  : O extends { readonly kind: 'parameters' }
    ? Parameters
    : number
type Given<O> = O extends { readonly many: true } ? readonly One<O>[] : One<O>

type Value<A> = A extends { readonly type: 'int' | 'ints' }
  ? IntsAttribute
  : A extends { readonly type: 'float' | 'floats' }
    ? FloatsAttribute
    : A extends { readonly type: 'plan' }
      ? NestedPlan
      : TextsAttribute

type Optional<T, Yes> = { [K in keyof T]: T[K] extends Yes ? K : never }[keyof T]

/** Operands of a step, those that may be absent as optional properties. */
type StepInputs<N extends StepName, I = (typeof STEPS)[N]['inputs']> = {
  readonly [K in Exclude<keyof I, Optional<I, { readonly optional: true }>>]: Given<I[K]>
} & { readonly [K in Optional<I, { readonly optional: true }>]?: Given<I[K]> | undefined }

export type StepAttributes<N extends StepName, A = (typeof STEPS)[N]['attributes']> = {
  readonly [K in Optional<A, { readonly required: true }>]: Value<A[K]>
} & { readonly [K in Exclude<keyof A, Optional<A, { readonly required: true }>>]?: Value<A[K]> }

/** Steps with a required attribute want attributes. */
type Builder<N extends StepName> =
  Record<never, never> extends StepAttributes<N>
    ? (inputs: StepInputs<N>, attributes?: StepAttributes<N>) => BuiltStep
    : (inputs: StepInputs<N>, attributes: StepAttributes<N>) => BuiltStep

type AnyInput = number | QuantizedOperand | Parameters | undefined

function add(list: number[], kind: OperandKind, given: AnyInput): void {
  if (typeof given === 'object') {
    if (kind !== 'parameters') list.push((given as QuantizedOperand).tensor)
    list.push(given.scale, given.zeroPoint ?? -1)
  } else if (kind === 'parameters') list.push(-1, -1)
  else if (kind === 'quantized' || kind === 'weights') list.push(-1, -1, -1)
  else list.push(given ?? -1)
}

function build(
  op: StepName,
  inputs: Readonly<Record<string, AnyInput | readonly AnyInput[]>>,
  attributes: PlanStep['attributes'],
): BuiltStep {
  const spec: StepSpec = STEPS[op]
  const list: number[] = []
  let repeats = false
  for (const name in spec.inputs) {
    const { kind, many } = spec.inputs[name] as OperandSpec
    const given = inputs[name]
    if (many) for (const each of given as readonly AnyInput[]) add(list, kind, each)
    else add(list, kind, given as AnyInput)
    repeats = many === true
  }
  if (!repeats) while (list.length > 0 && (list[list.length - 1] as number) < 0) list.pop()
  return { op, inputs: list, attributes: present(attributes), kind: spec.kind }
}

/** Without those that are undefined. */
function present(attributes: PlanStep['attributes']): PlanStep['attributes'] {
  const stated: Record<string, PlanAttribute> = {}
  for (const name in attributes) {
    const value = attributes[name]
    if (value !== undefined) stated[name] = value
  }
  return stated
}

function builders(): { readonly [N in StepName]: Builder<N> } {
  const made: Record<string, unknown> = {}
  for (const op in STEPS) {
    made[op] = (inputs: AnyInputs, attributes: PlanStep['attributes'] = {}) =>
      build(op as StepName, inputs, attributes)
  }
  return made as { readonly [N in StepName]: Builder<N> }
}

type AnyInputs = Readonly<Record<string, AnyInput | readonly AnyInput[]>>

export const steps = builders()

/** The attributes of a step of this name. */
export function attributesOf<N extends StepName>(_op: N, step: PlanStep): StepAttributes<N> {
  return step.attributes as StepAttributes<N>
}

/** Whether a step may have this attribute. */
export function takesAttribute(op: string, name: string): boolean {
  const attributes = (STEPS as Readonly<Record<string, StepSpec>>)[op]?.attributes
  return attributes !== undefined && (attributes as Record<string, AttributeSpec>)[name] !== undefined
}
