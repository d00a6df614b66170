/**
 * What a step costs, in bytes that go through memory: the elements that it reads and writes, one byte each in integers and
 * four in float. Steps between products do little else with them, so bytes are what their time goes with.
 */
import type { Dim } from '../../graph/expr.js'
import { substitute } from '../../graph/expr.js'
import type { Inference } from '../../ops/core/infer.js'
import type { Fusion } from './fusions.js'

const FLOAT_BYTES = 4
const INTEGER_BYTES = 1
/** A function of an element costs so many bytes more in float, where it is computed, than in integers, where it is looked up. */
const FUNCTION_BYTES = 4
/** What a rounding costs for each element that it rounds: integers must save more than nothing. */
const ROUNDING_BYTES = 1
/** What only gives bytes another name moves none of them; most transpositions are the layout of the step before or after. */
const SHARE_MOVED: Readonly<Record<string, number>> = {
  Reshape: 0,
  Flatten: 0,
  Squeeze: 0,
  Unsqueeze: 0,
  Identity: 0,
  Transpose: 0.25,
}
/** What a size is where the model leaves it open. */
const UNKNOWN_SIZE = 16

/** Elements of a value. */
export function elementsOf(info: Inference, value: string): number {
  return (info.types.get(value)?.shape ?? []).reduce<number>((n, d) => n * sizeOf(d), 1)
}

function sizeOf(dim: Dim): number {
  const size = substitute(dim, () => UNKNOWN_SIZE)
  return typeof size === 'number' ? Math.max(1, size) : UNKNOWN_SIZE
}

/** Bytes of a fusion that is no product, in integers and in float. */
export function fusionBytes(
  info: Inference,
  { node, rule, inputs, fused, results }: Fusion,
): { readonly integer: number; readonly float: number } {
  const made = elementsOf(info, results[0] ?? '')
  const read = inputs.reduce((n, i) => n + elementsOf(info, node.inputs[i] ?? ''), 0)
  const share = SHARE_MOVED[node.opType] ?? 1
  const functions = rule.kind === 'activation' && (rule.unary || rule.range) ? 1 + fused.length : 0
  const rounding = rule.kind === 'shared' ? 0 : ROUNDING_BYTES * made
  return {
    integer: share * INTEGER_BYTES * (read + made) + rounding,
    float: share * FLOAT_BYTES * (read + made) + FUNCTION_BYTES * functions * made,
  }
}

/** Bytes of a DequantizeLinear that a float reader of an integer value needs. */
export function dequantizeBytes(info: Inference, value: string): number {
  return (INTEGER_BYTES + FLOAT_BYTES) * elementsOf(info, value)
}

/** Bytes that a product writes more in float than in integers, less what rounding costs. */
export function floatOutputBytes(info: Inference, value: string): number {
  return (FLOAT_BYTES - INTEGER_BYTES - ROUNDING_BYTES) * elementsOf(info, value)
}
