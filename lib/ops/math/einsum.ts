/** Einsum, two operands at a time: diagonals, sums, then a batched matrix product between transposes. */

import { add, type Dim, mul, product } from '../../graph/expr.js'
import { stringAttribute } from '../../graph/graph.js'
import { ints, texts } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { floatInput, floatOutput } from '../core/float32.js'
import { broadcastShapes } from '../core/helpers.js'
import type { InferContext, Inferred, LowerContext, OpDef } from '../core/opdef.js'
import { type Equation, type Label, parseEquation } from './einsum-equation.js'

/** A tensor of the plan whose axes have labels. */
interface Operand {
  readonly tensor: number
  readonly labels: readonly Label[]
  readonly shape: readonly Dim[]
}

function equationOf(context: InferContext | LowerContext, ranks: readonly number[]): Equation {
  return parseEquation(stringAttribute(context.node, 'equation', ''), ranks, (expected) =>
    context.fail(expected),
  )
}

/** Size of each label; axes of size 1 broadcast. */
function labelSizes(
  context: InferContext | LowerContext,
  equation: Equation,
  shapes: readonly (readonly Dim[])[],
): Map<Label, Dim> {
  const sizes = new Map<Label, Dim>()
  equation.inputs.forEach((labels, i) => {
    labels.forEach((label, axis) => {
      const size = shapes[i]?.[axis] as Dim
      const known = sizes.get(label)
      sizes.set(label, known === undefined ? size : (broadcastShapes(context, [[known], [size]])[0] as Dim))
    })
  })
  return sizes
}

function infer(context: InferContext): Inferred[] {
  const types = Array.from({ length: context.inputs }, (_, i) => context.required(i))
  const equation = equationOf(
    context,
    types.map((t) => t.shape.length),
  )
  const sizes = labelSizes(
    context,
    equation,
    types.map((t) => t.shape),
  )
  return [
    { dtype: types[0]?.dtype ?? 'float32', shape: equation.output.map((label) => sizes.get(label) as Dim) },
  ]
}

class Contraction {
  constructor(
    private readonly context: LowerContext,
    private readonly dtype: 'float32' | 'int32' | 'int64',
  ) {}

  scratch(shape: readonly Dim[]): number {
    return this.context.scratch(this.dtype, shape)
  }

  transposed(x: Operand, labels: readonly Label[]): Operand {
    const perm = labels.map((label) => x.labels.indexOf(label))
    if (perm.every((a, i) => a === i)) return x
    const shape = perm.map((a) => x.shape[a] as Dim)
    const tensor = this.scratch(shape)
    this.context.step(steps.Transpose({ x: x.tensor }, { perm: ints(...perm) }), [tensor])
    return { tensor, labels, shape }
  }

  /** Of each label that occurs twice, the diagonal: every (n + 1)-th element of the two axes taken as one. */
  diagonal(x: Operand): Operand {
    const label = x.labels.find((l, i) => x.labels.indexOf(l) !== i)
    if (label === undefined) return x
    const first = x.labels.indexOf(label)
    const second = x.labels.indexOf(label, first + 1)
    const others = x.labels.map((_, a) => a).filter((a) => a !== first && a !== second)
    const perm = [...others, first, second]
    const size = x.shape[first] as Dim
    const outer = others.map((a) => x.shape[a] as Dim)
    const moved = this.scratch([...outer, size, size])
    this.context.step(steps.Transpose({ x: x.tensor }, { perm: ints(...perm) }), [moved])
    const flat = this.context.alias(moved, [...outer, mul(size, size)])
    const tensor = this.scratch([...outer, size])
    const starts = ints(...outer.map(() => 0), 0)
    const stride = ints(...outer.map(() => 1), add(size, 1))
    this.context.step(steps.Slice({ x: flat }, { starts, steps: stride }), [tensor])
    return this.diagonal({
      tensor,
      labels: [...others.map((a) => x.labels[a] as Label), label],
      shape: [...outer, size],
    })
  }

  /** Sums over the labels that nobody needs any more. */
  summed(x: Operand, keep: (label: Label) => boolean): Operand {
    const axes = x.labels.flatMap((label, a) => (keep(label) ? [] : [a]))
    if (axes.length === 0) return x
    const labels = x.labels.filter(keep)
    const shape = x.shape.filter((_, a) => !axes.includes(a))
    const tensor = this.scratch(shape)
    this.context.step(steps.Reduce({ x: x.tensor }, { fn: texts('sum'), axes: ints(...axes) }), [tensor])
    return { tensor, labels, shape }
  }

  /** Product of two operands, summed over the labels that both have and nobody needs any more. */
  contracted(left: Operand, right: Operand, keep: (label: Label) => boolean): Operand {
    const inBoth = (label: Label) => left.labels.includes(label) && right.labels.includes(label)
    const a = this.summed(left, (label) => keep(label) || inBoth(label))
    const b = this.summed(right, (label) => keep(label) || inBoth(label))
    const batch = a.labels.filter((label) => inBoth(label) && keep(label))
    const inner = a.labels.filter((label) => inBoth(label) && !keep(label))
    const rows = a.labels.filter((label) => !inBoth(label))
    const columns = b.labels.filter((label) => !inBoth(label))
    const x = this.transposed(a, [...batch, ...rows, ...inner])
    const y = this.transposed(b, [...batch, ...inner, ...columns])
    const sizesOf = (operand: Operand, labels: readonly Label[]) =>
      labels.map((label) => operand.shape[operand.labels.indexOf(label)] as Dim)
    const [m, k, n] = [product(sizesOf(x, rows)), product(sizesOf(x, inner)), product(sizesOf(y, columns))]
    const matrixA = this.context.alias(x.tensor, [...sizesOf(x, batch), m, k])
    const matrixB = this.context.alias(y.tensor, [...sizesOf(y, batch), k, n])
    const batchSizes = broadcastShapes(this.context, [sizesOf(x, batch), sizesOf(y, batch)])
    const tensor = this.scratch([...batchSizes, m, n])
    this.context.step(steps.MatMul({ a: matrixA, b: matrixB }), [tensor])
    const shape = [...batchSizes, ...sizesOf(x, rows), ...sizesOf(y, columns)]
    return { tensor: this.context.alias(tensor, shape), labels: [...batch, ...rows, ...columns], shape }
  }
}

function lower(context: LowerContext): void {
  const count = context.node.inputs.length
  const types = Array.from({ length: count }, (_, i) => context.inputType(i))
  const equation = equationOf(
    context,
    types.map((t) => t.shape.length),
  )
  const own = types[0]?.dtype
  const dtype = own === 'int32' || own === 'int64' ? own : 'float32'
  const contraction = new Contraction(context, dtype)
  const operands = types.map(({ shape }, i) => {
    const tensor = dtype === 'float32' ? floatInput(context, i) : context.input(i)
    return contraction.diagonal({ tensor, labels: equation.inputs[i] as Label[], shape })
  })
  const neededAfter = (i: number) => (label: Label) =>
    equation.output.includes(label) || equation.inputs.slice(i + 1).some((labels) => labels.includes(label))
  let result = contraction.summed(operands[0] as Operand, neededAfter(0))
  for (let i = 1; i < count; i++)
    result = contraction.contracted(result, operands[i] as Operand, neededAfter(i))
  const last = contraction.transposed(result, equation.output)
  if (own === dtype) context.outputAlias(0, last.tensor)
  else floatOutput(context, 0, undefined, (y) => context.step(steps.Copy({ x: last.tensor }), [y]))
}

export const ops: readonly OpDef[] = [
  { opType: 'Einsum', domain: '', inputs: [1, Number.POSITIVE_INFINITY], outputs: [1, 1], infer, lower },
]
