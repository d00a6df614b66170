/** Which scales multiply the sums of a product, in which order: of all activations or of each row, and of the columns. */
import { textOf } from '../../plan/attributes.js'
import { addAlias, type Draft, type DraftIndex, isConstant, sameDims } from '../../plan/draft.js'
import { operand, quantizedOperand } from '../../plan/operands.js'
import type { PlanStep, PlanTensor } from '../../plan/plan.js'
import { floatConstant, isScale } from './params.js'

export interface Scales {
  /** Of the activations, of the columns; undefined: 1. */
  readonly a: number | undefined
  readonly b: number | undefined
  readonly order: 'product' | 'a_first' | 'b_first'
  /** The multiplications. */
  readonly steps: readonly PlanStep[]
}

interface Factor {
  readonly step: PlanStep
  readonly t: number
}

/** What the step Cast of the sums is multiplied with, by readers of nothing else; undefined where no scale is found. */
export function findScales(
  draft: Draft,
  index: DraftIndex,
  product: PlanStep,
  cast: PlanStep,
): Scales | undefined {
  const dims = (draft.tensors[cast.outputs[0] as number] as PlanTensor).dims
  const sizes = new Sizes(draft, index, product, dims)
  const factors = factorsAfter(draft, index, cast)
  const [first, second] = factors
  if (!first) return undefined
  return (second && ofTwo(sizes, first, second)) ?? ofOne(draft, index, sizes, first)
}

/** At most two multiplications, one after the other, that keep the sizes. */
function factorsAfter(draft: Draft, index: DraftIndex, cast: PlanStep): readonly Factor[] {
  const factors: Factor[] = []
  for (let made = cast.outputs[0] as number; factors.length < 2; ) {
    const step = index.soleReader(made)
    if (step?.op !== 'Binary' || textOf(step, 'fn') !== 'mul') break
    const [l, r] = [operand(step, 'a'), operand(step, 'b')]
    const out = step.outputs[0] as number
    if (
      l === r ||
      !sameDims((draft.tensors[out] as PlanTensor).dims, (draft.tensors[made] as PlanTensor).dims)
    )
      break
    factors.push({ step, t: l === made ? r : l })
    made = out
  }
  return factors
}

function ofTwo(sizes: Sizes, first: Factor, second: Factor): Scales | undefined {
  const steps = [first.step, second.step]
  const aFirst = sizes.pair(first.t, second.t)
  if (aFirst) return { ...aFirst, order: 'a_first', steps }
  const bFirst = sizes.pair(second.t, first.t)
  return bFirst && { ...bFirst, order: 'b_first', steps }
}

function ofOne(draft: Draft, index: DraftIndex, sizes: Sizes, { step, t }: Factor): Scales | undefined {
  const found = { order: 'product', steps: [step] } as const
  const b = sizes.columns(t)
  if (b !== undefined) return { a: undefined, b, ...found }
  const pair = ofProduct(draft, index, sizes, t)
  if (pair) return { ...pair, ...found }
  const a = sizes.activations(t)
  return a === undefined ? undefined : { a, b: undefined, ...found }
}

/** Both scales, where t is their product, or that with axes of one element elsewhere, as Conv wants it. */
function ofProduct(draft: Draft, index: DraftIndex, sizes: Sizes, t: number) {
  const made = index.root(t)
  const step = index.producer(made)
  if (step?.op !== 'Binary' || textOf(step, 'fn') !== 'mul' || draft.tensors[t]?.dtype !== 'float32')
    return undefined
  const [whole, own] = [t, made].map((tensor) => longDims(draft, tensor)) as [Dims, Dims]
  if (!sameDims(whole, own)) return undefined
  // A vector lies along the columns, wherever it lay before.
  const along = whole.length === 1 && sizes.isVector(t)
  const factors = [operand(step, 'a'), operand(step, 'b')].map((f) =>
    along && sameDims(longDims(draft, f), whole) ? addAlias(draft, f, whole) : f,
  ) as [number, number]
  const [l, r] = factors
  return along || sameDims(trimmed(draft, t), trimmed(draft, made))
    ? (sizes.pair(l, r) ?? sizes.pair(r, l))
    : undefined
}

type Dims = PlanTensor['dims']

function longDims(draft: Draft, t: number): Dims {
  return (draft.tensors[t] as PlanTensor).dims.filter((d) => d !== 1)
}

/** Without the axes of one element that come first. */
function trimmed(draft: Draft, t: number): Dims {
  const { dims } = draft.tensors[t] as PlanTensor
  const first = dims.findIndex((d) => d !== 1)
  return first < 0 ? [] : dims.slice(first)
}

/** What factors can be, beside the sizes of a product. */
class Sizes {
  constructor(
    private readonly draft: Draft,
    private readonly index: DraftIndex,
    private readonly product: PlanStep,
    private readonly sums: PlanTensor['dims'],
  ) {}

  pair(a: number, b: number): Pick<Scales, 'a' | 'b'> | undefined {
    const [left, right] = [this.activations(a), this.columns(b)]
    return left === undefined || right === undefined ? undefined : { a: left, b: right }
  }

  /** One constant for all columns or for each, which the step takes: finite, positive, not subnormal. */
  columns(t: number): number | undefined {
    const { dims } = this.tensor(t)
    const single = dims.every((d) => d === 1)
    if (
      (!single && !this.isVector(t)) ||
      dims.length > this.sums.length ||
      !floatConstant(this.draft, t)?.every(isScale)
    )
      return undefined
    return addAlias(this.draft, t, single ? [] : dims.slice(-1))
  }

  /** One number for each column. */
  isVector(t: number): boolean {
    const { dims } = this.tensor(t)
    return dims.slice(0, -1).every((d) => d === 1) && sameDims(dims.slice(-1), this.sums.slice(-1))
  }

  /** One number for all, or one for each row of a. */
  activations(t: number): number | undefined {
    const { dims, dtype } = this.tensor(t)
    if (dtype !== 'float32' || isConstant(this.draft, t)) return undefined
    if (dims.every((d) => d === 1) && dims.length <= this.sums.length) return this.one(t)
    if (this.product.op !== 'QMatMul') return undefined
    const rows = this.sums.slice(0, -1)
    // As many rows as a has: none of its matrices meets several of b.
    const own = this.tensor(quantizedOperand(this.product, 'a').tensor).dims.slice(0, -1)
    return sameDims(own, rows) && sameDims(dims, [...rows, 1]) ? t : undefined
  }

  /** A scalar, where it is a scale that the engine takes; else as that of a row, which may be any number. */
  private one(t: number): number | undefined {
    const maker = this.index.producer(this.index.root(t))
    if (maker?.op === 'DynamicQuantizeLinear') return addAlias(this.draft, t, [])
    if (this.product.op !== 'QMatMul') return undefined
    const rows = this.sums.slice(0, -1)
    return rows.every((d) => d === 1) ? addAlias(this.draft, t, [...rows, 1]) : undefined
  }

  private tensor(t: number): PlanTensor {
    return this.draft.tensors[t] as PlanTensor
  }
}
