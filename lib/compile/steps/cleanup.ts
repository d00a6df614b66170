/** What the other passes leave: equal steps, unread results, copies into outputs, tensors nobody names. */
import { dimKey } from '../../graph/expr.js'
import type { Draft } from '../../plan/draft.js'
import { operand } from '../../plan/operands.js'
import type { PlanAttribute, PlanStep, PlanTensor } from '../../plan/plan.js'
import { rewriteSteps } from '../../plan/rewrite.js'
import { findStep } from '../../plan/steps/index.js'

/** `f(x), f(x)  =>  f(x)`: QuantizeLinear of one value for many readers, for example. */
export function mergeEqual(draft: Draft): Draft {
  const seen = new Map<string, PlanStep>()
  const steps = draft.steps.filter((step) => {
    if (findStep(step.op)?.merges === false) return true
    // Outputs and states have storage of their own.
    if (step.outputs.some((t) => ['output', 'state'].includes(draft.tensors[t]?.kind ?? ''))) return true
    const key = keyOf(draft, step)
    const first = seen.get(key)
    if (!first) {
      seen.set(key, step)
      return true
    }
    step.outputs.forEach((t, i) => {
      if (t < 0) return
      draft.tensors[t] = {
        ...(draft.tensors[t] as PlanTensor),
        kind: 'alias',
        of: first.outputs[i] as number,
      }
    })
    return false
  })
  return { ...draft, steps }
}

/** The same for steps that compute the same. Sizes belong to it: Fill, Expand, Slice and others read them from their output. */
function keyOf(draft: Draft, { op, inputs, outputs, attributes }: PlanStep): string {
  const read = inputs.map((t) => identityOf(draft, t)).join(';')
  const made = outputs.map((t) => draft.tensors[t]).map((t) => `${t?.dtype}[${t?.dims.map(dimKey)}]`)
  const stated = Object.keys(attributes)
    .sort()
    .map((name) => `${name}=${valueKey(attributes[name] as PlanAttribute)}`)
  return `${op}(${read})${made.join(';')}{${stated.join(';')}}`
}

/** Small constants are compared by content, other tensors by what they are an alias of. */
function identityOf(draft: Draft, t: number): number | string {
  if (t < 0) return t
  const tensor = draft.tensors[t] as PlanTensor
  const { kind, of, dims, dtype, file } = tensor
  if (kind === 'alias' && of !== undefined) return `${identityOf(draft, of)}[${dims.map(dimKey)}]`
  // Data in a file is read by asking for it.
  if (kind !== 'constant' || file || !tensor.data || tensor.data.length > 16) return t
  return `${dtype}[${dims.map(dimKey)}]${tensor.data}`
}

function valueKey({ kind, value }: PlanAttribute): string {
  if (kind === 'ints') return `ints ${value.map(dimKey)}`
  return `${kind} ${kind === 'floats' ? value : JSON.stringify(value)}`
}

/** `f, unread  =>  nothing`; a step that adds to a state stays. */
export function removeUnread(draft: Draft): Draft {
  const needed = new Set<number>()
  const need = (t: number) => {
    for (let at = t; at >= 0 && !needed.has(at); ) {
      needed.add(at)
      const tensor = draft.tensors[at] as PlanTensor
      at = tensor.kind === 'alias' ? (tensor.of ?? -1) : -1
    }
  }
  for (const t of [...draft.outputs, ...draft.kept]) need(t)
  const kept: PlanStep[] = []
  for (let i = draft.steps.length - 1; i >= 0; --i) {
    const step = draft.steps[i] as PlanStep
    const state = step.outputs.some((t) => draft.tensors[t]?.kind === 'state')
    if (!state && !step.outputs.some((t) => needed.has(t))) continue
    for (const t of step.inputs) need(t)
    kept.push(step)
  }
  return { ...draft, steps: kept.reverse() }
}

/** `f -> Copy to an output  =>  f to the output` */
export function writeOutputsDirectly(draft: Draft): Draft {
  return rewriteSteps(draft, (step, rewriting) => {
    const { index } = rewriting
    if (step.op !== 'Copy' || draft.tensors[step.outputs[0] as number]?.kind !== 'output') return undefined
    const source = operand(step, 'x')
    const direct = index.producer(source)
    if (!direct || index.soleReader(source) !== step || draft.tensors[source]?.kind !== 'scratch')
      return undefined
    const producer = rewriting.current(direct)
    const outputs = producer.outputs.map((t) => (t === source ? (step.outputs[0] as number) : t))
    rewriting.replace(direct, [{ ...producer, outputs }])
    return []
  })
}

/** Renumbers tensors so that only those that are named remain, aliases after what they are an alias of. */
export function compact(draft: Draft): Draft {
  const tensors: PlanTensor[] = []
  const moved = new Map<number, number>()
  const move = (t: number): number => {
    if (t < 0) return t
    const known = moved.get(t)
    if (known !== undefined) return known
    const tensor = draft.tensors[t] as PlanTensor
    const of = tensor.kind === 'alias' && tensor.of !== undefined ? move(tensor.of) : undefined
    tensors.push(of === undefined ? tensor : { ...tensor, of })
    moved.set(t, tensors.length - 1)
    return tensors.length - 1
  }
  const inputs = draft.inputs.map(move)
  const steps = draft.steps.map((s) => ({ ...s, inputs: s.inputs.map(move), outputs: s.outputs.map(move) }))
  return { tensors, steps, inputs, outputs: draft.outputs.map(move), kept: draft.kept.map(move) }
}
