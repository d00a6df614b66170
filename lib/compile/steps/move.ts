/**
 * Moving data and quantizing it commute. DequantizeLinear sinks below steps that only move elements, so they
 * move bytes, and the steps behind them see quantized inputs; QuantizeLinear rises above them.
 */

import type { PlanStep, PlanTensor } from '../../plan/plan.js'
import { addAlias, addTensor, type Draft, DraftIndex, sameDims, text } from '../draft.js'
import {
  addZeroPoint,
  isActivationType,
  isPerTensor,
  type Params,
  type QuantizedView,
  quantizeScalar,
  sameParams,
  scalarConstant,
  zeroPointValue,
} from './params.js'

/** Data inputs of steps that move elements of any type; the others are indices. */
const MOVERS: Readonly<Record<string, (step: PlanStep) => readonly number[]>> = {
  Transpose: () => [0],
  Concat: (step) => step.inputs.map((_, i) => i),
  Slice: () => [0],
  Split: () => [0],
  Gather: () => [0],
  GatherElements: () => [0],
  GatherND: () => [0],
  Expand: () => [0],
  Tile: () => [0],
  Copy: () => [0],
  Reverse: () => [0],
  Pad: () => [0],
}

function isMover(step: PlanStep): boolean {
  return MOVERS[step.op] !== undefined || isMaxPool(step) || isNearestResize(step)
}

function dataInputs(step: PlanStep): readonly number[] {
  return MOVERS[step.op]?.(step) ?? [0]
}

function isMaxPool(step: PlanStep): boolean {
  return step.op === 'Pool' && text(step, 'fn') === 'max' && (step.outputs[1] ?? -1) < 0
}

function isNearestResize(step: PlanStep): boolean {
  return step.op === 'Resize' && text(step, 'fn') === 'nearest'
}

/** DequantizeLinear (per tensor, 8-bit) sinks below movers whose data inputs all have the same parameters. */
export function sinkDequantize(draft: Draft): Draft {
  const views = new Map<number, QuantizedView>()
  const steps: PlanStep[] = []
  for (const step of draft.steps) {
    if (step.op === 'DequantizeLinear') {
      recordView(draft, step, views)
      steps.push(step)
      continue
    }
    const moved = isMover(step) ? moveQuantized(draft, step, views) : undefined
    steps.push(...(moved ?? [step]))
  }
  return { ...draft, steps }
}

export function recordView(draft: Draft, step: PlanStep, views: Map<number, QuantizedView>): void {
  const [source, scale, zeroPoint = -1] = step.inputs as [number, number, number?]
  const out = draft.tensors[step.outputs[0] as number] as PlanTensor
  if (!isActivationType(draft.tensors[source]?.dtype) || !isPerTensor(draft, scale)) return
  if (out.dtype === 'float32') views.set(step.outputs[0] as number, { tensor: source, scale, zeroPoint })
}

/** The quantized tensor behind a float one: through aliases, with the sizes of `t`. */
export function viewOf(
  draft: Draft,
  views: ReadonlyMap<number, QuantizedView>,
  t: number,
): QuantizedView | undefined {
  const direct = views.get(t)
  if (direct) return direct
  const tensor = draft.tensors[t]
  if (tensor?.kind !== 'alias' || tensor.of === undefined) return undefined
  const source = viewOf(draft, views, tensor.of)
  return source && { ...source, tensor: addAlias(draft, source.tensor, tensor.dims) }
}

function moveQuantized(
  draft: Draft,
  step: PlanStep,
  views: Map<number, QuantizedView>,
): PlanStep[] | undefined {
  const positions = dataInputs(step)
  const sources = positions.map((i) => viewOf(draft, views, step.inputs[i] as number))
  const first = sources[0]
  if (!first || !sources.every((v) => v && sameParams(draft, v, first) && sameType(draft, v, first)))
    return undefined
  const inputs = [...step.inputs]
  positions.forEach((i, k) => {
    inputs[i] = (sources[k] as QuantizedView).tensor
  })
  if (step.op === 'Pad' && !padWithQuantizedValue(draft, step, inputs, first)) return undefined
  const dtype = (draft.tensors[first.tensor] as PlanTensor).dtype
  const outputs = step.outputs.map((t) => {
    const out = draft.tensors[t] as PlanTensor
    return addTensor(draft, { name: `${out.name}_quantized`, dtype, dims: out.dims, kind: 'scratch' })
  })
  const dequantize = step.outputs.map((t, i): PlanStep => {
    views.set(t, { tensor: outputs[i] as number, scale: first.scale, zeroPoint: first.zeroPoint })
    return dequantizeStep(outputs[i] as number, first, t)
  })
  return [quantizedMover(step, inputs, outputs, first), ...dequantize]
}

/** Pools and Resize have integer steps of their own; with equal parameters on both sides they only move. */
function quantizedMover(step: PlanStep, inputs: number[], outputs: number[], p: Params): PlanStep {
  if (!isMaxPool(step)) return { ...step, inputs, outputs, kind: isNearestResize(step) ? 'integer' : 'data' }
  return {
    ...step,
    op: 'QPool',
    inputs: [inputs[0] as number, p.scale, p.zeroPoint, p.scale, p.zeroPoint],
    outputs: [outputs[0] as number],
    kind: 'integer',
  }
}

function padWithQuantizedValue(draft: Draft, step: PlanStep, inputs: number[], p: QuantizedView): boolean {
  if (text(step, 'mode', 'constant') !== 'constant') return true
  const given = step.inputs[1] ?? -1
  const value = given < 0 ? 0 : scalarConstant(draft, given)
  const scale = scalarConstant(draft, p.scale)
  const zeroPoint = zeroPointValue(draft, p.zeroPoint)
  const dtype = draft.tensors[p.tensor]?.dtype
  if (value === undefined || scale === undefined || zeroPoint === undefined || !isActivationType(dtype))
    return false
  inputs[1] = addZeroPoint(draft, dtype, quantizeScalar(value, scale, zeroPoint, dtype))
  return true
}

export function dequantizeStep(from: number, p: Params, to: number): PlanStep {
  const inputs = [from, p.scale, p.zeroPoint]
  return { op: 'DequantizeLinear', inputs, outputs: [to], attributes: {}, nodes: [], kind: 'convert' }
}

function sameType(draft: Draft, a: QuantizedView, b: QuantizedView): boolean {
  return draft.tensors[a.tensor]?.dtype === draft.tensors[b.tensor]?.dtype
}

const RISES_ABOVE = new Set(['Transpose', 'Copy', 'Expand'])

/** QuantizeLinear (per tensor) rises above aliases and one-input movers that nothing else reads. */
export function hoistQuantize(draft: Draft): Draft {
  let current = draft
  for (let round = 0; round < 8; ++round) {
    const next = hoistOnce(current)
    if (next === current) return current
    current = next
  }
  return current
}

function hoistOnce(draft: Draft): Draft {
  const index = new DraftIndex(draft)
  const replaced = new Map<PlanStep, PlanStep[]>()
  for (const step of draft.steps) {
    if (step.op !== 'QuantizeLinear' || !isPerTensor(draft, step.inputs[1] as number)) continue
    const source = step.inputs[0] as number
    const tensor = draft.tensors[source] as PlanTensor
    const out = step.outputs[0] as number
    if (tensor.kind === 'alias' && tensor.of !== undefined) {
      const from = draft.tensors[tensor.of] as PlanTensor
      const raised = cloneOutput(draft, out, from)
      draft.tensors[out] = { ...(draft.tensors[out] as PlanTensor), kind: 'alias', of: raised }
      replaced.set(step, [{ ...step, inputs: [tensor.of, ...step.inputs.slice(1)], outputs: [raised] }])
      continue
    }
    const mover = index.producer(source)
    if (!mover || !RISES_ABOVE.has(mover.op) || replaced.has(mover) || index.soleReader(source) !== step)
      continue
    const from = draft.tensors[mover.inputs[0] as number] as PlanTensor
    if (from.kind === 'constant') continue
    const raised = cloneOutput(draft, out, from)
    replaced.set(mover, [
      { ...step, inputs: [mover.inputs[0] as number, ...step.inputs.slice(1)], outputs: [raised] },
    ])
    replaced.set(step, [{ ...mover, inputs: [raised, ...mover.inputs.slice(1)], outputs: [out] }])
  }
  if (replaced.size === 0) return draft
  return { ...draft, steps: draft.steps.flatMap((s) => replaced.get(s) ?? [s]) }
}

function cloneOutput(draft: Draft, out: number, like: PlanTensor): number {
  const tensor = draft.tensors[out] as PlanTensor
  return addTensor(draft, { name: tensor.name, dtype: tensor.dtype, dims: like.dims, kind: 'scratch' })
}

/** DequantizeLinear -> QuantizeLinear: nothing where the parameters agree, else a table. */
export function cancelPairs(draft: Draft): Draft {
  const views = new Map<number, QuantizedView>()
  const steps: PlanStep[] = []
  for (const step of draft.steps) {
    if (step.op === 'DequantizeLinear') recordView(draft, step, views)
    const pair = step.op === 'QuantizeLinear' ? requantize(draft, step, views) : undefined
    if (pair === undefined) steps.push(step)
    else if (pair !== 'alias') steps.push(pair)
  }
  return { ...draft, steps }
}

function requantize(
  draft: Draft,
  step: PlanStep,
  views: ReadonlyMap<number, QuantizedView>,
): PlanStep | 'alias' | undefined {
  const [source, scale, zeroPoint = -1] = step.inputs as [number, number, number?]
  const out = step.outputs[0] as number
  const target = draft.tensors[out] as PlanTensor
  const view = viewOf(draft, views, source)
  if (!view || !isActivationType(target.dtype) || !isPerTensor(draft, scale)) return undefined
  const bounded = step.attributes.qmin !== undefined || step.attributes.qmax !== undefined
  const from = draft.tensors[view.tensor] as PlanTensor
  if (!bounded && from.dtype === target.dtype && sameParams(draft, view, { scale, zeroPoint })) {
    if (!sameDims(from.dims, target.dims)) return undefined
    draft.tensors[out] = { ...target, kind: 'alias', of: view.tensor }
    return 'alias'
  }
  const { axis: _axis, block_size: _block, ...bounds } = step.attributes
  return {
    op: 'QUnary',
    inputs: [view.tensor, view.scale, view.zeroPoint, scale, zeroPoint],
    outputs: [out],
    attributes: { fns: { kind: 'texts', value: [] }, params: { kind: 'floats', value: [] }, ...bounds },
    nodes: step.nodes,
    kind: 'integer',
  }
}
