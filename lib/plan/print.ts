/**
 * A plan, or a draft of one, as text: one line per tensor that no step makes, where it is first needed, and one per step.
 *
 *     input x: uint8[1, 4]
 *     constant s: float32[] = 0.5
 *     y: float32[1, 4] = DequantizeLinear(x: x(s)) convert #node
 *     return y
 *
 * Operands have the names of the table of steps; `x(s, z)` is a tensor with its scale and zero point, `(s, z)` are the
 * parameters of what is written. A name that two tensors have gets a number.
 */
import { formatDim } from '../graph/expr.js'
import { numbersOf } from '../graph/tensor.js'
import type { Draft } from './draft.js'
import type { Plan, PlanAttribute, PlanStep, PlanTensor } from './plan.js'
import { findStep } from './steps/index.js'
import type { AttributeSpec, OperandSpec } from './steps/spec.js'

/** Elements of constants that are shown. */
const SHOWN = 16

export function printPlan(plan: Plan | Draft): string {
  return `${new Printer(plan).lines().join('\n')}\n`
}

class Printer {
  private readonly names = new Map<number, string>()
  private readonly taken = new Set<string>()
  private readonly declared = new Set<number>()
  private readonly out: string[] = []
  private unnamed = 0

  constructor(private readonly plan: Plan | Draft) {}

  lines(): readonly string[] {
    const { plan } = this
    if ('symbols' in plan) {
      for (const { name, source } of plan.symbols) {
        const { kind, ...from } = source
        this.out.push(`symbol ${name}: ${kind} ${Object.values(from).join(' ')}`.trimEnd())
      }
    }
    for (const t of plan.inputs) this.declare(t)
    for (const step of plan.steps) this.step(step)
    const kept = 'kept' in plan ? plan.kept : []
    for (const t of [...kept, ...plan.outputs]) this.declare(t)
    if (kept.length > 0) this.out.push(`keep ${this.list(kept)}`)
    this.out.push(`return ${this.list(plan.outputs)}`)
    return this.out
  }

  private tensor(t: number): PlanTensor {
    return this.plan.tensors[t] ?? { name: `missing ${t}`, dtype: 'float32', dims: [], kind: 'scratch' }
  }

  private name(t: number): string {
    if (t < 0) return '-'
    const known = this.names.get(t)
    if (known !== undefined) return known
    const own = this.tensor(t).name
    const name = own !== '' && !this.taken.has(own) ? own : `${own}%${this.unnamed++}`
    this.taken.add(name)
    this.names.set(t, name)
    return name
  }

  private list(tensors: readonly number[]): string {
    return tensors.map((t) => this.name(t)).join(', ')
  }

  /** A line for a tensor that no step makes. */
  private declare(t: number): void {
    if (t < 0 || this.declared.has(t)) return
    this.declared.add(t)
    const tensor = this.tensor(t)
    const { kind, of } = tensor
    if (kind === 'alias' && of !== undefined) {
      this.declare(of)
      this.out.push(`alias ${this.typed(t)} of ${this.name(of)}`)
    } else if (kind === 'constant') this.out.push(`constant ${this.typed(t)}${constantText(tensor)}`)
    else this.out.push(`${kind} ${this.typed(t)}`)
  }

  private typed(t: number): string {
    const { dtype, dims } = this.tensor(t)
    return `${this.name(t)}: ${dtype}[${dims.map(formatDim).join(', ')}]`
  }

  private step(step: PlanStep): void {
    for (const t of step.inputs) this.declare(t)
    for (const t of step.outputs) this.declared.add(t)
    const made = step.outputs.map((t) => {
      const kind = t < 0 ? 'scratch' : this.tensor(t).kind
      return t < 0 ? '-' : `${kind === 'scratch' ? '' : `${kind} `}${this.typed(t)}`
    })
    const attributes = this.attributes(step)
    const parts = [`${made.join(', ')} = ${step.op}(${this.operands(step)})`]
    if (attributes !== '') parts.push(`{ ${attributes} }`)
    parts.push(step.kind, ...step.nodes.map((node) => `#${node}`))
    if (step.reason !== undefined) parts.push(`(${step.reason})`)
    this.out.push(parts.join(' '))
    for (const [name, attribute] of Object.entries(step.attributes)) {
      if (attribute.kind !== 'plan') continue
      this.out.push(`  ${name}:`, ...new Printer(attribute.value).lines().map((line) => `    ${line}`))
    }
  }

  private operands({ op, inputs }: PlanStep): string {
    const specs = Object.entries(findStep(op)?.inputs ?? {})
    let at = 0
    const texts = specs.flatMap(([name, spec]) => {
      if (!spec.many) {
        const text = this.operand(inputs, at, spec)
        at += widthOf(spec)
        return text === '' ? [] : [`${name}: ${text}`]
      }
      const all: string[] = []
      for (; at < inputs.length; at += widthOf(spec)) all.push(this.operand(inputs, at, spec))
      return [`${name}: [${all.join(', ')}]`]
    })
    // What no operand stands for: of an operator that the table does not have, or too many.
    if (at < inputs.length) texts.push(...inputs.slice(at).map((t) => this.name(t)))
    return texts.join(', ')
  }

  private operand(inputs: readonly number[], at: number, spec: OperandSpec): string {
    const width = widthOf(spec)
    const slots = Array.from({ length: width }, (_, i) => inputs[at + i] ?? -1)
    if (slots.every((t) => t < 0)) return ''
    while (slots.length > 1 && (slots[slots.length - 1] as number) < 0) slots.pop()
    if (spec.kind === 'parameters') return `(${this.list(slots)})`
    const [tensor, ...rest] = slots as [number, ...number[]]
    return `${this.name(tensor)}${rest.length > 0 ? `(${this.list(rest)})` : ''}`
  }

  private attributes({ op, attributes }: PlanStep): string {
    const known: Readonly<Record<string, AttributeSpec>> = findStep(op)?.attributes ?? {}
    return Object.keys(attributes)
      .sort()
      .map((name) => `${name}: ${attributeText(attributes[name] as PlanAttribute, known[name])}`)
      .join(', ')
  }
}

function widthOf({ kind }: OperandSpec): number {
  return kind === 'quantized' || kind === 'weights' ? 3 : kind === 'parameters' ? 2 : 1
}

function attributeText(attribute: PlanAttribute, spec: AttributeSpec | undefined): string {
  if (attribute.kind === 'plan') return 'plan'
  const values =
    attribute.kind === 'ints'
      ? attribute.value.map(formatDim)
      : attribute.kind === 'floats'
        ? attribute.value.map(floatText)
        : attribute.value
  const one = spec?.type === 'int' || spec?.type === 'float' || spec?.type === 'text'
  return one && values.length === 1 ? (values[0] as string) : `[${values.join(', ')}]`
}

/** A number that is told from an integer. */
function floatText(value: number): string {
  const text = String(value)
  return /^-?\d+$/.test(text) ? `${text}.0` : text
}

function constantText({ dtype, dims, data, file }: PlanTensor): string {
  if (file) return ' in a file'
  if (!data) return ''
  const sizes = dims.every((d) => typeof d === 'number') ? (dims as readonly number[]) : undefined
  const count = sizes?.reduce((a, b) => a * b, 1) ?? Number.POSITIVE_INFINITY
  const numbers = count <= SHOWN && sizes ? numbersOf({ dtype, dims: sizes, data }) : undefined
  return numbers ? ` = ${numbers.join(', ')}` : ` = ${data.length} bytes`
}
