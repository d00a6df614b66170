/** Drafts of plans from the text that `printPlan` writes, for tests of step passes: text in, text out. */
import { DTYPES, type DType } from '../../lib/graph/dtype.js'
import { type Dim, symbol } from '../../lib/graph/expr.js'
import { tensorFromNumbers } from '../../lib/graph/tensor.js'
import { floats, ints, texts } from '../../lib/plan/attributes.js'
import { type BuiltStep, steps } from '../../lib/plan/build.js'
import type { Draft } from '../../lib/plan/draft.js'
import type { PlanAttribute, PlanStep, PlanTensor, StepKind, TensorKind } from '../../lib/plan/plan.js'
import { printPlan } from '../../lib/plan/print.js'
import { findStep } from '../../lib/plan/steps/index.js'
import type { OperandSpec } from '../../lib/plan/steps/spec.js'
import { verifyPlan } from '../../lib/plan/verify.js'

/** The text of what a pass makes of the draft that a text is. Both are verified. */
export function rewritten(pass: (draft: Draft) => Draft, text: string): string {
  const draft = parseDraft(text)
  verifyPlan(draft)
  const result = pass(draft)
  verifyPlan(result)
  return printPlan(result)
}

/** Lines without what the indentation of a test adds to all of them, and without empty ones. */
export function trimmed(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return `${lines.map((line) => line.trim()).join('\n')}\n`
}

export function parseDraft(text: string): Draft {
  return new Parser().parse(trimmed(text).trimEnd().split('\n'))
}

const TYPED = /^(?:(scratch|output|state|provided|input|constant|alias) )?(\S+): (\w+)\[([^\]]*)\](.*)$/

class Parser {
  private readonly tensors: PlanTensor[] = []
  private readonly indices = new Map<string, number>()
  private readonly steps: PlanStep[] = []
  private readonly inputs: number[] = []
  private outputs: readonly number[] = []
  private kept: readonly number[] = []

  parse(lines: readonly string[]): Draft {
    for (const line of lines) this.line(line)
    const { tensors, steps, inputs, outputs, kept } = this
    return { tensors, steps, inputs, outputs, kept }
  }

  private line(line: string): void {
    if (line.startsWith('return ')) this.outputs = this.list(line.slice(7))
    else if (line.startsWith('keep ')) this.kept = this.list(line.slice(5))
    else if (line.includes(' = ') && !line.startsWith('constant ')) this.step(line)
    else this.tensor(line)
  }

  private list(text: string): number[] {
    return text
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '')
      .map((name) => this.named(name))
  }

  private named(name: string): number {
    if (name === '-') return -1
    const t = this.indices.get(name)
    if (t === undefined) throw new Error(`no tensor ${name}`)
    return t
  }

  /** `kind name: dtype[dims] rest` */
  private tensor(text: string): number {
    if (text === '-') return -1
    const [, kind = 'scratch', name = '', dtype = '', sizes = '', rest = ''] = TYPED.exec(text) ?? fail(text)
    if (!(dtype in DTYPES)) fail(text)
    const dims = splitTop(sizes).map(dim)
    const common = { name, dtype: dtype as DType, dims, kind: kind as TensorKind }
    const of = /^ of (\S+)$/.exec(rest)?.[1]
    const data = kind === 'constant' ? dataOf(dtype as DType, dims, rest) : undefined
    this.tensors.push(of ? { ...common, of: this.named(of) } : data ? { ...common, data } : common)
    const t = this.tensors.length - 1
    this.indices.set(name, t)
    if (kind === 'input') this.inputs.push(t)
    return t
  }

  private step(line: string): void {
    const at = line.indexOf(' = ')
    const call = /^(\w+)\((.*?)\)(?: \{ (.*) \})? (\w+)((?: #\S+)*)(?: \((.*)\))?$/.exec(line.slice(at + 3))
    const [, op = '', operands = '', attributes = '', kind = '', nodes = '', reason] = call ?? fail(line)
    const spec = findStep(op) ?? fail(line)
    const given: Record<string, unknown> = {}
    for (const [name, value] of pairs(operands)) {
      given[name] = this.operand(value, spec.inputs[name] ?? fail(line))
    }
    const build = (steps as unknown as Record<string, (i: unknown, a: unknown) => BuiltStep>)[op]
    const made: Record<string, PlanAttribute> = {}
    for (const [name, value] of pairs(attributes)) {
      made[name] = attribute(value, spec.attributes[name]?.type ?? fail(line))
    }
    const built = (build ?? fail(line))(given, made)
    const outputs = splitTop(line.slice(0, at)).map((text) => this.tensor(text))
    this.steps.push({
      ...built,
      kind: kind as StepKind,
      outputs,
      nodes: nodes.split(' #').slice(1),
      ...(reason === undefined ? {} : { reason }),
    })
  }

  private operand(text: string, spec: OperandSpec): unknown {
    if (spec.many)
      return splitTop(text.slice(1, -1)).map((one) =>
        this.operand(one, { ...spec, many: undefined } as OperandSpec),
      )
    const [, tensor = '', parameters = ''] = /^([^(]*)(?:\((.*)\))?$/.exec(text) ?? fail(text)
    if (spec.kind !== 'parameters' && spec.kind !== 'quantized' && spec.kind !== 'weights')
      return this.named(text)
    const [scale = -1, zeroPoint = -1] = this.list(parameters)
    return spec.kind === 'parameters'
      ? { scale, zeroPoint }
      : { tensor: this.named(tensor), scale, zeroPoint }
  }
}

function fail(text: string): never {
  throw new Error(`plan text: cannot read '${text}'`)
}

/** Parts between commas that are in no brackets. */
function splitTop(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let from = 0
  for (let i = 0; i <= text.length; i++) {
    const c = text[i]
    if (c === '(' || c === '[') depth++
    else if (c === ')' || c === ']') depth--
    else if ((c === ',' && depth === 0) || c === undefined) {
      const part = text.slice(from, i).trim()
      if (part !== '') parts.push(part)
      from = i + 1
    }
  }
  return parts
}

function pairs(text: string): [string, string][] {
  return splitTop(text).map((part) => {
    const at = part.indexOf(': ')
    return [part.slice(0, at), part.slice(at + 2)]
  })
}

function dim(text: string): Dim {
  return /^-?\d+$/.test(text) ? Number(text) : symbol(text)
}

function attribute(text: string, type: string): PlanAttribute {
  const values = splitTop(text.startsWith('[') ? text.slice(1, -1) : text)
  if (type === 'int' || type === 'ints') return ints(...values.map(dim))
  return type === 'float' || type === 'floats' ? floats(...values.map(Number)) : texts(...values)
}

/** ` = 1, 2`, or nothing for zeros. */
function dataOf(dtype: DType, dims: readonly Dim[], text: string): Uint8Array {
  const count = dims.reduce<number>((n, d) => n * (d as number), 1)
  const values = text === '' ? new Array<number>(count).fill(0) : text.slice(3).split(', ').map(Number)
  return tensorFromNumbers(dtype, dims as readonly number[], values).data
}
