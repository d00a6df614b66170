/** Steps that move elements of any type, and steps that make tensors of nothing but sizes. */
import { AXIS, BYTES, FLAG, INDICES, INTS, LIKE_X, SYMBOLIC } from './shared.js'
import type { AttributeSpec, StepTable } from './spec.js'

const REDUCTION = {
  type: 'text',
  values: ['none', 'add', 'mul', 'max', 'min'],
  default: 'none',
} as const satisfies AttributeSpec

export const moverSteps = {
  Copy: {
    kind: 'data',
    inputs: { x: { kind: 'data', types: 'any' } },
    outputs: { y: { kind: 'data', types: 'any', note: 'as many bytes' } },
    attributes: {},
    moves: ['x'],
    quantizeBefore: true,
  },
  Transpose: {
    kind: 'data',
    inputs: { x: BYTES },
    outputs: { y: LIKE_X },
    attributes: { perm: { ...INTS, required: true } },
    moves: ['x'],
    quantizeBefore: true,
  },
  Concat: {
    kind: 'data',
    inputs: { x: { ...BYTES, many: true } },
    outputs: { y: LIKE_X },
    attributes: { axis: AXIS },
    moves: ['x'],
  },
  Slice: {
    kind: 'data',
    inputs: { x: BYTES },
    outputs: { y: LIKE_X },
    attributes: { starts: { ...SYMBOLIC, required: true }, steps: { ...SYMBOLIC, required: true } },
    moves: ['x'],
  },
  Split: {
    kind: 'data',
    inputs: { x: BYTES },
    outputs: { y: { ...LIKE_X, many: true } },
    attributes: { axis: AXIS },
    moves: ['x'],
  },
  Pad: {
    kind: 'data',
    inputs: { x: BYTES, value: { ...LIKE_X, optional: true, note: 'scalar' } },
    outputs: { y: LIKE_X },
    attributes: {
      pads: { ...SYMBOLIC, required: true },
      mode: { type: 'text', values: ['constant', 'reflect', 'edge', 'wrap'], default: 'constant' },
    },
    moves: ['x'],
    fills: 'value',
    fillsWhen: ['mode', 'constant'],
  },
  Gather: {
    kind: 'data',
    inputs: { x: BYTES, indices: INDICES },
    outputs: { y: LIKE_X },
    attributes: { axis: AXIS },
    moves: ['x'],
  },
  GatherElements: {
    kind: 'data',
    inputs: { x: BYTES, indices: INDICES },
    outputs: { y: LIKE_X },
    attributes: { axis: AXIS },
    moves: ['x'],
  },
  GatherND: {
    kind: 'data',
    inputs: { x: BYTES, indices: INDICES },
    outputs: { y: LIKE_X },
    attributes: { batch_dims: FLAG },
    moves: ['x'],
  },
  ScatterElements: {
    kind: 'data',
    inputs: { x: BYTES, indices: INDICES, updates: LIKE_X },
    outputs: { y: LIKE_X },
    attributes: { axis: AXIS, reduction: REDUCTION },
  },
  ScatterND: {
    kind: 'data',
    inputs: { x: BYTES, indices: INDICES, updates: LIKE_X },
    outputs: { y: LIKE_X },
    attributes: { reduction: REDUCTION },
  },
  Expand: {
    kind: 'data',
    inputs: { x: BYTES },
    outputs: { y: LIKE_X },
    attributes: {},
    moves: ['x'],
    quantizeBefore: true,
  },
  Tile: {
    kind: 'data',
    inputs: { x: BYTES },
    outputs: { y: LIKE_X },
    attributes: {},
    moves: ['x'],
  },
  Reverse: {
    kind: 'data',
    inputs: { x: { ...BYTES, rank: [2, 8] }, lengths: { kind: 'index', types: 'int64', note: '[batch]' } },
    outputs: { y: LIKE_X },
    attributes: { batch_axis: { type: 'int', default: 1 }, time_axis: { type: 'int', default: 0 } },
    moves: ['x'],
  },
  Trilu: {
    kind: 'data',
    inputs: { x: { ...BYTES, rank: [2, 8] } },
    outputs: { y: LIKE_X },
    attributes: { upper: { type: 'int', default: 1 }, k: { type: 'int', symbolic: true, default: 0 } },
  },
} as const satisfies StepTable

export const makerSteps = {
  Fill: {
    kind: 'data',
    inputs: { value: { ...BYTES, note: 'scalar' } },
    outputs: { y: { ...BYTES, like: 'value' } },
    attributes: {},
  },
  Range: {
    kind: 'data',
    inputs: {
      start: { kind: 'data', types: 'range', note: 'scalar' },
      delta: { kind: 'data', types: 'range', like: 'start', note: 'scalar' },
    },
    outputs: { y: { kind: 'data', types: 'range', like: 'start' } },
    attributes: {},
  },
  Values: {
    kind: 'shape',
    inputs: {},
    outputs: { y: { kind: 'index', types: 'index' } },
    attributes: { values: { ...SYMBOLIC, required: true } },
  },
  NonZeroCount: {
    kind: 'data',
    inputs: { x: BYTES },
    outputs: { y: { kind: 'index', types: 'int64', note: '[1]' } },
    attributes: {},
  },
  NonZero: {
    kind: 'data',
    inputs: { x: BYTES },
    outputs: { y: { kind: 'index', types: 'int64', rank: 2, note: '[rank, count]' } },
    attributes: {},
  },
  OneHot: {
    kind: 'data',
    inputs: { indices: { kind: 'data', types: 'plain' }, values: { ...BYTES, note: '[2]' } },
    outputs: { y: { ...BYTES, like: 'values' } },
    attributes: { axis: AXIS },
  },
  EyeLike: {
    kind: 'data',
    inputs: {},
    outputs: { y: { ...BYTES, rank: 2 } },
    attributes: { k: FLAG },
  },
} as const satisfies StepTable
