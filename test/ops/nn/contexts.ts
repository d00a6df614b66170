/** Contexts for one operator, without a graph: inputs are types or constants, lowering records its steps. */

import type { DType } from '../../../lib/graph/dtype.js'
import type { Dim } from '../../../lib/graph/expr.js'
import { symbol } from '../../../lib/graph/expr.js'
import type { Attribute, ConstantTensor, Node, TensorType } from '../../../lib/graph/graph.js'
import type { InferContext, Inferred, Layout, LowerContext, OpDef } from '../../../lib/ops/core/opdef.js'
import { integersOf } from '../../../lib/ops/core/values.js'
import type { PlanAttribute, StepKind } from '../../../lib/plan/plan.js'

export type Operand = (TensorType & { readonly constant?: ConstantTensor }) | undefined

export function type(dtype: DType, ...shape: Dim[]): Operand {
  return { dtype, shape }
}

export function float(dims: readonly number[], values: readonly number[]): Operand {
  return constant('float32', dims, new Uint8Array(Float32Array.from(values).buffer))
}

export function int64(dims: readonly number[], values: readonly number[]): Operand {
  return constant('int64', dims, new Uint8Array(BigInt64Array.from(values, BigInt).buffer))
}

export function constant(dtype: DType, dims: readonly number[], data: Uint8Array): Operand {
  return { dtype, shape: dims, constant: { dtype, dims, data } }
}

type Plain = number | string | readonly number[] | readonly string[]

/** Attributes from plain values; numbers are ints where `floats` does not name them. */
export function attributes(
  plain: Record<string, Plain>,
  floats: readonly string[] = [],
): Record<string, Attribute> {
  const one = ([name, value]: [string, Plain]): [string, Attribute] => {
    const real = floats.includes(name)
    if (typeof value === 'string') return [name, { kind: 'string', value }]
    if (typeof value === 'number') return [name, { kind: real ? 'float' : 'int', value }]
    if (typeof value[0] === 'string') return [name, { kind: 'strings', value: value as string[] }]
    return [name, { kind: real ? 'floats' : 'ints', value: value as number[] }]
  }
  return Object.fromEntries(Object.entries(plain).map(one))
}

export function find(ops: readonly OpDef[], opType: string): OpDef {
  const op = ops.find((o) => o.opType === opType)
  if (!op) throw new Error(`no operator ${opType}`)
  return op
}

function nodeOf(op: OpDef, operands: readonly Operand[], attrs: Record<string, Attribute>): Node {
  return {
    name: 'node',
    opType: op.opType,
    domain: op.domain,
    inputs: operands.map((o, i) => (o ? `in${i}` : '')),
    outputs: Array.from({ length: Math.min(op.outputs[1], 4) }, (_, i) => `out${i}`),
    attributes: attrs,
  }
}

export function infer(
  op: OpDef,
  operands: readonly Operand[],
  attrs: Record<string, Attribute> = {},
): readonly Inferred[] {
  return op.infer(inferContext(nodeOf(op, operands, attrs), operands))
}

function inferContext(node: Node, operands: readonly Operand[]): InferContext {
  const fail = (expected: string): never => {
    throw new Error(`${node.opType} node "${node.name}": expected ${expected}`)
  }
  const values = (i: number) => {
    const known = operands[i]?.constant
    return known && integersOf(known)
  }
  return {
    node,
    inputs: operands.length,
    input: (i) => operands[i],
    required: (i) => {
      const operand = operands[i]
      return operand?.shape ? { dtype: operand.dtype, shape: operand.shape } : fail(`input ${i}`)
    },
    constant: (i) => operands[i]?.constant,
    values,
    valuesOrRead: (i) =>
      values(i) ??
      Array.from({ length: Number(operands[i]?.shape?.[0] ?? 1) }, (_, k) => symbol(`in${i}[${k}]`)),
    provided: () => fail('no provided sizes'),
    knows: () => true,
    subgraph: () => fail('no owned graph'),
    fail,
  }
}

interface RecordedTensor {
  readonly name: string
  readonly dtype: DType
  readonly dims: readonly Dim[]
}

export interface RecordedStep {
  readonly op: string
  readonly inputs: readonly (RecordedTensor | undefined)[]
  readonly outputs: readonly (RecordedTensor | undefined)[]
  readonly attributes: Readonly<Record<string, PlanAttribute>>
  readonly kind: StepKind
}

/** Steps of an operator; `layout`: the layout that elementwise work is asked to take. */
export function lower(
  op: OpDef,
  operands: readonly Operand[],
  attrs: Record<string, Attribute> = {},
  options: { readonly layout?: Layout; readonly outputs?: number } = {},
): RecordedStep[] {
  const full = nodeOf(op, operands, attrs)
  const node = { ...full, outputs: full.outputs.slice(0, options.outputs ?? 1) }
  const outputs = op.infer(inferContext(full, operands))
  const tensors: RecordedTensor[] = []
  const steps: RecordedStep[] = []
  const add = (tensor: RecordedTensor) => tensors.push(tensor) - 1
  const place = (name: string, t: TensorType, layout?: Layout): number => {
    const shape = t.shape ?? []
    return add({ name, dtype: t.dtype, dims: layout ? layout.map((axis) => shape[axis] as Dim) : shape })
  }
  const base = inferContext(node, operands)
  const context: LowerContext = {
    node,
    has: (i) => operands[i] !== undefined,
    hasOutput: (i) => i < node.outputs.length,
    inputType: (i) => base.required(i),
    outputType: (i) => outputs[i] as { dtype: DType; shape: readonly Dim[] },
    constant: base.constant,
    values: base.values,
    valuesOrRead: base.valuesOrRead,
    input: (i, layout) => {
      const operand = operands[i]
      return operand ? place(`in${i}`, operand, layout) : -1
    },
    output: (i, layout) => (i < node.outputs.length ? place(`out${i}`, outputs[i] as Inferred, layout) : -1),
    sharedLayout: () => options.layout ?? (outputs[0]?.shape ?? []).map((_, i) => i),
    broadcastInput: (i, layout) => {
      const shape = base.required(i).shape
      const padded = [...new Array<Dim>(layout.length - shape.length).fill(1), ...shape]
      return place(`in${i}`, { dtype: base.required(i).dtype, shape: padded }, layout)
    },
    scratch: (dtype, dims) => add({ name: 'scratch', dtype, dims }),
    constantTensor: (dtype, dims) => add({ name: 'constant', dtype, dims }),
    constantAs: (i, dtype, dims) => add({ name: `in${i}`, dtype, dims }),
    alias: (tensor, dims, dtype) => {
      const source = tensors[tensor] as RecordedTensor
      return add({ name: source.name, dtype: dtype ?? source.dtype, dims })
    },
    outputAlias: (i, tensor) => {
      steps.push({
        op: 'alias',
        inputs: [tensors[tensor]],
        outputs: [{ name: `out${i}`, ...(outputs[i] as { dtype: DType }), dims: outputs[i]?.shape ?? [] }],
        attributes: {},
        kind: 'data',
      })
    },
    step: ({ op, inputs: ins, attributes, kind: usual }, outs, kind = usual) => {
      const named = (t: number) => (t < 0 ? undefined : tensors[t])
      steps.push({ op, inputs: ins.map(named), outputs: outs.map(named), attributes, kind })
    },
    providedOutput: () => base.fail('no provided outputs'),
    capture: () => base.fail('no captures'),
    readSymbol: () => base.fail('no sizes to read'),
    nested: () => base.fail('no owned graph'),
    fail: base.fail,
  }
  op.lower?.(context)
  return steps
}

export function ints(step: RecordedStep | undefined, name: string): readonly Dim[] {
  const attribute = step?.attributes[name]
  return attribute?.kind === 'ints' ? attribute.value : []
}
