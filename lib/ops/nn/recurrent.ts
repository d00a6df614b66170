/**
 * LSTM, GRU and RNN: the product of the whole sequence with the input's weights, then the step over time. That works
 * time-major; `layout` 1 (batch-major) is a matter of the order of axes.
 */

import { type Dim, mul } from '../../graph/expr.js'
import {
  floatAttribute,
  floatsAttribute,
  intAttribute,
  type Node,
  stringAttribute,
} from '../../graph/graph.js'
import { floats, ints, texts } from '../../plan/attributes.js'
import { steps } from '../../plan/build.js'
import { floatInput, floatOutput } from '../core/float32.js'
import { formatShape, type NodeContext } from '../core/helpers.js'
import type { InferContext, Inferred, Layout, LowerContext, OpDef } from '../core/opdef.js'
import { checkFloat, compatible } from './conv.js'

export interface Cell {
  readonly name: 'lstm' | 'gru' | 'rnn'
  /** Rows of W and R per hidden unit. */
  readonly gates: number
  /** Activations of one direction. */
  readonly activations: readonly string[]
}

export const CELLS = {
  LSTM: { name: 'lstm', gates: 4, activations: ['Sigmoid', 'Tanh', 'Tanh'] },
  GRU: { name: 'gru', gates: 3, activations: ['Sigmoid', 'Tanh'] },
  RNN: { name: 'rnn', gates: 1, activations: ['Tanh'] },
} as const satisfies Record<string, Cell>

const ACTIVATIONS = [
  'Relu',
  'Tanh',
  'Sigmoid',
  'Affine',
  'LeakyRelu',
  'ThresholdedRelu',
  'ScaledTanh',
  'HardSigmoid',
  'Elu',
  'Softsign',
  'Softplus',
] as const

/** Physical orders of axes that are [T, B, I], [T, D, B, H] and [D, B, H] for the step, whatever the node's layout. */
interface Layouts {
  readonly sequence: Layout
  readonly outputs: Layout
  readonly state: Layout
}

const TIME_MAJOR: Layouts = { sequence: [0, 1, 2], outputs: [0, 1, 2, 3], state: [0, 1, 2] }
const BATCH_MAJOR: Layouts = { sequence: [1, 0, 2], outputs: [1, 2, 0, 3], state: [1, 0, 2] }

function layouts(ctx: NodeContext): Layouts {
  const layout = intAttribute(ctx.node, 'layout', 0)
  if (layout !== 0 && layout !== 1) ctx.fail(`layout 0 or 1, got ${layout}`)
  return layout === 0 ? TIME_MAJOR : BATCH_MAJOR
}

function directions(ctx: NodeContext): number {
  const direction = stringAttribute(ctx.node, 'direction', 'forward')
  if (direction === 'bidirectional') return 2
  if (direction !== 'forward' && direction !== 'reverse') {
    ctx.fail(`direction forward, reverse or bidirectional, got '${direction}'`)
  }
  return 1
}

function activations(ctx: NodeContext, cell: Cell): readonly string[] {
  const attribute = ctx.node.attributes.activations
  const count = cell.activations.length * directions(ctx)
  if (attribute?.kind !== 'strings' || attribute.value.length === 0) {
    return Array.from({ length: count }, (_, i) => cell.activations[i % cell.activations.length] as string)
  }
  if (attribute.value.length !== count) {
    ctx.fail(`${count} activations, got ${attribute.value.length}: ${attribute.value.join(', ')}`)
  }
  return attribute.value.map((name) => {
    const known = ACTIVATIONS.find((a) => a.toLowerCase() === name.toLowerCase())
    return known ?? ctx.fail(`activations of ${ACTIVATIONS.join(', ')}, got '${name}'`)
  })
}

/** `transposed`: weights are [D, I, G * H] and [D, H, G * H]. */
export function inferRecurrent(ctx: InferContext, cell: Cell, transposed = false): readonly Inferred[] {
  const x = ctx.required(0)
  checkFloat(ctx, x.dtype)
  if (x.shape.length !== 3) ctx.fail(`an input of rank 3, got rank ${x.shape.length}`)
  const { sequence, outputs, state } = layouts(ctx)
  const [steps, batch, features] = sequence.map((axis) => x.shape[axis]) as [Dim, Dim, Dim]
  const count = directions(ctx)
  const hidden = hiddenSize(ctx, transposed ? 1 : 2)
  activations(ctx, cell)
  const matrix = (columns: Dim) =>
    transposed ? [count, columns, cell.gates * hidden] : [count, cell.gates * hidden, columns]
  checkShape(ctx, 1, matrix(features))
  checkShape(ctx, 2, matrix(hidden))
  checkShape(ctx, 3, [count, 2 * cell.gates * hidden])
  checkShape(ctx, 4, [batch])
  const stateShape = logical([count, batch, hidden], state)
  checkShape(ctx, 5, stateShape)
  if (cell.name === 'lstm') {
    checkShape(ctx, 6, stateShape)
    checkShape(ctx, 7, [count, 3 * hidden])
  }
  const lengths = ctx.input(4)
  if (lengths !== undefined && lengths.dtype !== 'int32') {
    ctx.fail(`sequence_lens (input 4) of type int32, got ${lengths.dtype}`)
  }
  const y: Inferred = { dtype: x.dtype, shape: logical([steps, count, batch, hidden], outputs) }
  const h: Inferred = { dtype: x.dtype, shape: stateShape }
  return cell.name === 'lstm' ? [y, h, h] : [y, h]
}

/** hidden_size, or what an axis of the recurrence weights says. */
function hiddenSize(ctx: InferContext, axis: number): number {
  const fromWeights = ctx.required(2).shape[axis]
  const attribute = intAttribute(ctx.node, 'hidden_size')
  const hidden = attribute ?? (typeof fromWeights === 'number' ? fromWeights : undefined)
  if (hidden === undefined || !Number.isSafeInteger(hidden) || hidden < 1) {
    return ctx.fail(`hidden_size of at least 1, got ${hidden}`)
  }
  return hidden
}

/** Sizes in the node's order of axes from those in the step's. */
function logical(physical: readonly Dim[], layout: Layout): readonly Dim[] {
  return physical.map((_, axis) => physical[layout.indexOf(axis)] as Dim)
}

function checkShape(ctx: InferContext, i: number, expected: readonly Dim[]): void {
  const shape = ctx.input(i)?.shape
  if (shape === undefined) return
  if (shape.length !== expected.length || !shape.every((size, k) => compatible(size, expected[k] as Dim))) {
    ctx.fail(`input ${i} of sizes ${formatShape(expected)}, got ${formatShape(shape)}`)
  }
}

function lower(ctx: LowerContext, cell: Cell): void {
  const [directions, gates] = ctx.inputType(1).shape as [Dim, Dim]
  const rows = mul(directions, gates)
  lowerRecurrent(ctx, cell, {
    rows,
    inputPart: (x, all, features) => {
      const part = ctx.scratch('float32', [all, rows])
      const b = ctx.alias(floatInput(ctx, 1), [rows, features])
      ctx.step(steps.MatMul({ a: x, b }, { trans_b: ints(1) }), [part])
      return part
    },
    step: (inputs, attributes) => steps.Recurrent({ ...inputs, r: floatInput(ctx, 2) }, attributes),
  })
}

type RecurrentStep = typeof steps.Recurrent

/** What the form of the weights decides. */
export interface RecurrentWeights {
  /** D * G * H */
  readonly rows: Dim
  /** Of x [all, features]: the input's part of all gates of all directions, [all, D * G * H]. */
  inputPart(x: number, all: Dim, features: Dim): number
  step(
    inputs: Omit<Parameters<RecurrentStep>[0], 'r'>,
    attributes: Parameters<RecurrentStep>[1],
  ): ReturnType<RecurrentStep>
}

export function lowerRecurrent(ctx: LowerContext, cell: Cell, weights: RecurrentWeights): void {
  const { sequence, outputs, state } = layouts(ctx)
  const { node } = ctx
  const lstm = cell.name === 'lstm'
  const [times, batch, features] = sequence.map((axis) => ctx.inputType(0).shape[axis]) as [Dim, Dim, Dim]
  // The input's part of all steps is one product.
  const all = mul(times, batch)
  const part = weights.inputPart(ctx.alias(floatInput(ctx, 0, sequence), [all, features]), all, features)
  const inputs = {
    x: ctx.alias(part, [times, batch, weights.rows]),
    b: floatInput(ctx, 3),
    lengths: ctx.input(4),
    h0: floatInput(ctx, 5, state),
    c0: lstm ? floatInput(ctx, 6, state) : -1,
    p: lstm ? floatInput(ctx, 7) : -1,
  }
  const attributes = {
    cell: texts(cell.name),
    direction: texts(stringAttribute(node, 'direction', 'forward')),
    activations: texts(...activations(ctx, cell)),
    activation_alpha: floats(...(floatsAttribute(node, 'activation_alpha') ?? [])),
    activation_beta: floats(...(floatsAttribute(node, 'activation_beta') ?? [])),
    clip: floats(clipOf(node)),
    linear_before_reset: ints(intAttribute(node, 'linear_before_reset', 0)),
    input_forget: ints(intAttribute(node, 'input_forget', 0)),
  }
  floatOutput(ctx, 0, outputs, (y) =>
    floatOutput(ctx, 1, state, (h) => {
      const step = weights.step(inputs, attributes)
      if (!lstm) ctx.step(step, [y, h])
      else floatOutput(ctx, 2, state, (c) => ctx.step(step, [y, h, c]))
    }),
  )
}

/** 0: no clipping. */
function clipOf(node: Node): number {
  return floatAttribute(node, 'clip', 0)
}

function recurrent(opType: keyof typeof CELLS): OpDef {
  const cell: Cell = CELLS[opType]
  const lstm = cell.name === 'lstm'
  return {
    opType,
    domain: '',
    inputs: [3, lstm ? 8 : 6],
    outputs: [0, lstm ? 3 : 2],
    infer: (ctx) => inferRecurrent(ctx, cell),
    lower: (ctx) => lower(ctx, cell),
    quantize: { kind: 'recurrent', weights: [1, 2] },
  }
}

export const ops: readonly OpDef[] = [recurrent('LSTM'), recurrent('GRU'), recurrent('RNN')]
