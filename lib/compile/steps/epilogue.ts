/**
 * What follows a QConv or QMatMul and costs nothing when done while its result is in registers: a bound, a
 * residual Add, a table. Each computes the bits of the separate steps.
 */

import type { PlanAttribute, PlanStep, PlanTensor } from '../../plan/plan.js'
import { addTensor, type Draft, DraftIndex, int, intAttr, sameDims, text } from '../draft.js'
import { boundsOf } from './clamp.js'
import {
  isActivationType,
  type Params,
  quantizeScalar,
  RANGE,
  sameParams,
  scalarConstant,
  zeroPointValue,
} from './params.js'

const FUSABLE = new Set(['QConv', 'QConvTranspose', 'QMatMul'])
/** Positions in the inputs of QConv and QMatMul (docs/steps.md). */
const INPUT = { yScale: 6, yZeroPoint: 7, residual: 9, sumScale: 12, sumZeroPoint: 13, table: 14 } as const
const MAX_INPUTS = 15

export function fuseEpilogues(draft: Draft): Draft {
  let current = draft
  for (;;) {
    const next = fuseOnce(current)
    if (next === current) return current
    current = next
  }
}

function fuseOnce(draft: Draft): Draft {
  const index = new DraftIndex(draft)
  const gone = new Set<PlanStep>()
  const replaced = new Map<PlanStep, PlanStep[]>()
  for (const step of draft.steps) {
    const fused =
      step.op === 'QUnary' ? fuseUnary(draft, index, step, gone) : fuseResidual(draft, index, step, gone)
    if (!fused) continue
    gone.add(fused.producer)
    replaced.set(step, fused.steps)
  }
  if (replaced.size === 0) return draft
  return { ...draft, steps: draft.steps.filter((s) => !gone.has(s)).flatMap((s) => replaced.get(s) ?? [s]) }
}

interface Fusion {
  readonly producer: PlanStep
  readonly steps: PlanStep[]
}

function fusableProducer(
  index: DraftIndex,
  step: PlanStep,
  input: number,
  gone: ReadonlySet<PlanStep>,
): PlanStep | undefined {
  const made = step.inputs[input] as number
  const producer = index.producer(made)
  if (!producer || !FUSABLE.has(producer.op) || gone.has(producer)) return undefined
  if ((producer.inputs[INPUT.table] ?? -1) >= 0 || index.soleReader(made) !== step) return undefined
  return producer
}

/** Parameters of what the step writes. */
function outputParams(step: PlanStep): Params {
  const summed = (step.inputs[INPUT.residual] ?? -1) >= 0
  return summed
    ? { scale: step.inputs[INPUT.sumScale] as number, zeroPoint: step.inputs[INPUT.sumZeroPoint] ?? -1 }
    : { scale: step.inputs[INPUT.yScale] as number, zeroPoint: step.inputs[INPUT.yZeroPoint] ?? -1 }
}

function fuseUnary(
  draft: Draft,
  index: DraftIndex,
  step: PlanStep,
  gone: ReadonlySet<PlanStep>,
): Fusion | undefined {
  const producer = fusableProducer(index, step, 0, gone)
  const [, xScale, xZeroPoint, yScale, yZeroPoint] = step.inputs as [number, number, number, number, number]
  const x = { scale: xScale, zeroPoint: xZeroPoint }
  const y = { scale: yScale, zeroPoint: yZeroPoint }
  if (!producer || !sameParams(draft, outputParams(producer), x)) return undefined
  const out = draft.tensors[step.outputs[0] as number] as PlanTensor
  const made = draft.tensors[producer.outputs[0] as number] as PlanTensor
  if (!sameDims(out.dims, made.dims)) return undefined
  const merged = { outputs: step.outputs, nodes: [...producer.nodes, ...step.nodes] }
  const bounds =
    made.dtype === out.dtype && sameParams(draft, x, y)
      ? bound(draft, producer, step, y, out.dtype)
      : undefined
  if (bounds) {
    return {
      producer,
      steps: [{ ...producer, ...merged, attributes: { ...producer.attributes, ...bounds } }],
    }
  }
  const table = addTensor(draft, {
    name: `${out.name}_table`,
    dtype: out.dtype,
    dims: [256],
    kind: 'scratch',
  })
  const unsigned = made.dtype === 'uint8' ? 1 : 0
  const makeTable: PlanStep = {
    op: 'QTable',
    inputs: step.inputs.slice(1),
    outputs: [table],
    attributes: { ...step.attributes, unsigned: intAttr(unsigned) },
    nodes: [],
    kind: 'data',
  }
  return {
    producer,
    steps: [makeTable, { ...producer, ...merged, inputs: withInput(producer.inputs, INPUT.table, table) }],
  }
}

/** The attributes that make the producer clamp as the step does, when clamping is all the step does. */
function bound(
  draft: Draft,
  producer: PlanStep,
  step: PlanStep,
  y: Params,
  dtype: PlanTensor['dtype'],
): Record<string, PlanAttribute> | undefined {
  const limits = boundsOf(draft, step) ?? (identity(step) ? { low: -Infinity, high: Infinity } : undefined)
  const scale = scalarConstant(draft, y.scale)
  const zeroPoint = zeroPointValue(draft, y.zeroPoint)
  if (!limits || scale === undefined || zeroPoint === undefined || !isActivationType(dtype)) return undefined
  const [least, most] = RANGE[dtype]
  const summed = (producer.inputs[INPUT.residual] ?? -1) >= 0
  const [qmin, qmax] = summed ? ['sum_qmin', 'sum_qmax'] : ['qmin', 'qmax']
  const q = (x: number) => quantizeScalar(x, scale, zeroPoint, dtype)
  const low = Math.max(int(producer, qmin, least), int(step, 'qmin', least), q(limits.low))
  const high = Math.min(int(producer, qmax, most), int(step, 'qmax', most), q(limits.high))
  return low <= high ? { [qmin]: intAttr(low), [qmax]: intAttr(high) } : undefined
}

function identity(step: PlanStep): boolean {
  const fns = step.attributes.fns
  return fns?.kind === 'texts' && fns.value.length === 0
}

function fuseResidual(
  draft: Draft,
  index: DraftIndex,
  step: PlanStep,
  gone: ReadonlySet<PlanStep>,
): Fusion | undefined {
  if (step.op !== 'QBinary' || text(step, 'fn') !== 'add') return undefined
  const [a, as, az, b, bs, bz, ys, yz] = step.inputs as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const out = draft.tensors[step.outputs[0] as number] as PlanTensor
  // The second operand first: of two convolutions the later one takes the sum.
  for (const [mine, p, other, os, oz] of [
    [b, { scale: bs, zeroPoint: bz }, a, as, az],
    [a, { scale: as, zeroPoint: az }, b, bs, bz],
  ] as const) {
    const producer = fusableProducer(index, step, mine === b ? 3 : 0, gone)
    if (!producer || mine === other || producer.op === 'QConvTranspose') continue
    if ((producer.inputs[INPUT.residual] ?? -1) >= 0 || !sameParams(draft, outputParams(producer), p))
      continue
    const dims = [mine, other].map((t) => (draft.tensors[t] as PlanTensor).dims)
    if (!dims.every((d) => sameDims(d, out.dims))) continue
    const inputs = [...producer.inputs]
    while (inputs.length < INPUT.residual) inputs.push(-1)
    inputs.push(other, os, oz, ys, yz)
    const { qmin, qmax } = step.attributes
    const limits = { ...(qmin ? { sum_qmin: qmin } : {}), ...(qmax ? { sum_qmax: qmax } : {}) }
    const nodes = [...producer.nodes, ...step.nodes]
    const attributes = { ...producer.attributes, ...limits }
    return { producer, steps: [{ ...producer, inputs, outputs: step.outputs, nodes, attributes }] }
  }
  return undefined
}

function withInput(inputs: readonly number[], i: number, t: number): number[] {
  const padded = [...inputs]
  while (padded.length < MAX_INPUTS) padded.push(-1)
  padded[i] = t
  return padded
}
