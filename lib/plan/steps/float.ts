/** Steps in floating point that work element by element, along axes, or as products. */
import {
  ACTIVATION,
  AXIS,
  BYTES,
  F32,
  FLAG,
  FLOAT,
  FUNCTIONS,
  INT,
  INTS,
  NUMBER,
  OPTIONAL_F32,
  WINDOW,
} from './shared.js'
import type { AttributeSpec, OperandSpec, StepTable } from './spec.js'

const RECURRENT_GATES = { ...F32, note: "[T, B, D*G*H], the input's part of all gates" } as const
const RECURRENT_INPUTS = {
  b: OPTIONAL_F32,
  lengths: { kind: 'index', types: 'int32', optional: true },
  h0: OPTIONAL_F32,
  c0: OPTIONAL_F32,
  p: OPTIONAL_F32,
} as const satisfies Record<string, OperandSpec>
const RECURRENT_OUTPUTS = { y: OPTIONAL_F32, h: OPTIONAL_F32, c: OPTIONAL_F32 } as const
const RECURRENT = {
  cell: { type: 'text', values: ['lstm', 'gru', 'rnn'], default: 'lstm' },
  direction: { type: 'text', values: ['forward', 'reverse', 'bidirectional'], default: 'forward' },
  activations: { type: 'texts' },
  activation_alpha: { type: 'floats' },
  activation_beta: { type: 'floats' },
  clip: { ...FLOAT, default: 0 },
  linear_before_reset: FLAG,
  input_forget: FLAG,
} as const satisfies Record<string, AttributeSpec>

export const floatSteps = {
  Conv: {
    kind: 'float',
    inputs: {
      x: { ...F32, rank: [3, 5], note: '[N, s..., C]' },
      w: { ...F32, rank: [3, 5], note: '[M, C/g, k...]' },
      bias: { ...OPTIONAL_F32, note: '[M]' },
      residual: { ...OPTIONAL_F32, note: 'as y' },
    },
    outputs: { y: { ...F32, rank: [3, 5], note: '[N, o..., M]' } },
    attributes: { ...WINDOW, group: { type: 'int', default: 1 }, ...ACTIVATION },
  },
  Patches: {
    kind: 'data',
    inputs: { x: { ...F32, rank: [3, 5], note: '[N, s..., C]' } },
    outputs: { y: { ...F32, rank: [3, 5], note: '[N, o..., C * k]: what each window reads, as [C, k...]' } },
    attributes: { kernel: { ...INTS, required: true }, ...WINDOW },
  },
  ConvTranspose: {
    kind: 'float',
    inputs: {
      x: { ...F32, rank: [3, 5], note: '[N, s..., C]' },
      w: { ...F32, rank: [3, 5], note: '[C, M/g, k...]' },
      bias: { ...OPTIONAL_F32, note: '[M]' },
    },
    outputs: { y: { ...F32, rank: [3, 5], note: '[N, o..., M]' } },
    attributes: { ...WINDOW, group: { type: 'int', default: 1 } },
  },
  MatMul: {
    kind: 'float',
    inputs: {
      a: { kind: 'data', types: 'matrix', note: '[..., m, k]' },
      b: { kind: 'data', types: 'matrix', like: 'a', note: '[..., k, n]' },
      bias: { kind: 'data', types: 'matrix', like: 'a', optional: true, note: '[n], or broadcast to y' },
    },
    outputs: { y: { kind: 'data', types: 'matrix', like: 'a' } },
    attributes: {
      trans_a: FLAG,
      trans_b: FLAG,
      alpha: { type: 'float', default: 1 },
      beta: { type: 'float', default: 1 },
      ...ACTIVATION,
    },
  },
  Unary: {
    kind: 'float',
    inputs: { x: { kind: 'data', types: 'plain' } },
    outputs: { y: { kind: 'data', types: 'plain' } },
    attributes: FUNCTIONS,
  },
  Binary: {
    kind: 'float',
    inputs: { a: { kind: 'data', types: 'plain' }, b: { kind: 'data', types: 'plain', like: 'a' } },
    outputs: { y: { kind: 'data', types: 'plain', like: 'a' } },
    writesOver: ['a', 'b'],
    attributes: {
      fn: {
        type: 'text',
        required: true,
        values: [
          ...(['add', 'sub', 'mul', 'div', 'pow', 'max', 'min', 'mod', 'fmod', 'prelu'] as const),
          ...(['and', 'or', 'xor', 'bitand', 'bitor', 'bitxor', 'shl', 'shr'] as const),
        ],
      },
    },
  },
  Compare: {
    kind: 'float',
    inputs: { a: { kind: 'data', types: 'plain' }, b: { kind: 'data', types: 'plain', like: 'a' } },
    outputs: { y: { kind: 'data', types: 'bool' } },
    attributes: {
      fn: {
        type: 'text',
        required: true,
        values: ['equal', 'less', 'less_equal', 'greater', 'greater_equal'],
      },
    },
  },
  Where: {
    kind: 'data',
    inputs: {
      condition: { kind: 'data', types: 'bool' },
      a: BYTES,
      b: { ...BYTES, like: 'a' },
    },
    outputs: { y: { ...BYTES, like: 'a' } },
    attributes: {},
  },
  Cast: {
    kind: 'float',
    inputs: { x: BYTES },
    outputs: { y: BYTES },
    attributes: { saturate: INT },
  },
  Clip: {
    kind: 'float',
    inputs: {
      x: NUMBER,
      min: { ...NUMBER, like: 'x', optional: true },
      max: { ...NUMBER, like: 'x', optional: true },
    },
    outputs: { y: { ...NUMBER, like: 'x' } },
    attributes: {},
  },
  Reduce: {
    kind: 'float',
    inputs: { x: { kind: 'data', types: 'plain' } },
    outputs: { y: { kind: 'data', types: 'plain', like: 'x' } },
    attributes: {
      fn: {
        type: 'text',
        required: true,
        values: [
          ...(['sum', 'mean', 'max', 'min', 'prod'] as const),
          ...(['l1', 'l2', 'logsum', 'logsumexp', 'sumsquare'] as const),
        ],
      },
      axes: INTS,
    },
  },
  ArgReduce: {
    kind: 'float',
    inputs: { x: NUMBER },
    outputs: { y: { kind: 'data', types: 'int64' } },
    attributes: { fn: { type: 'text', required: true, values: ['max', 'min'] }, axis: AXIS, last: FLAG },
  },
  Cumulative: {
    kind: 'float',
    inputs: { x: NUMBER, axis: { kind: 'index', types: 'index', note: 'scalar' } },
    outputs: { y: { ...NUMBER, like: 'x' } },
    attributes: {
      fn: { type: 'text', values: ['sum', 'prod'], default: 'sum' },
      exclusive: FLAG,
      reverse: FLAG,
    },
  },
  TopK: {
    kind: 'float',
    inputs: { x: NUMBER },
    outputs: { values: { ...NUMBER, like: 'x' }, indices: { kind: 'index', types: 'int64' } },
    attributes: {
      axis: AXIS,
      k: { type: 'int', symbolic: true, required: true },
      largest: { type: 'int', default: 1 },
      sorted: { type: 'int', default: 1 },
    },
  },
  Softmax: {
    kind: 'float',
    inputs: { x: F32 },
    outputs: { y: F32 },
    attributes: { axis: AXIS, log: FLAG },
  },
  LRN: {
    kind: 'float',
    inputs: { x: F32 },
    outputs: { y: F32 },
    attributes: {
      axis: { type: 'int', default: 1 },
      size: { type: 'int', default: 1 },
      alpha: { type: 'float', default: 1e-4 },
      beta: { type: 'float', default: 0.75 },
      bias: { type: 'float', default: 1 },
    },
  },
} as const satisfies StepTable

export const normSteps = {
  LayerNorm: {
    kind: 'float',
    inputs: { x: F32, scale: OPTIONAL_F32, bias: OPTIONAL_F32 },
    outputs: { y: F32, mean: OPTIONAL_F32, inverse_deviation: OPTIONAL_F32 },
    attributes: { axis: { ...AXIS }, epsilon: { type: 'float', default: 1e-5 }, rms: FLAG },
  },
  InstanceNorm: {
    kind: 'float',
    inputs: { x: { ...F32, rank: [2, 8], note: '[N, C, ...]' }, scale: F32, bias: F32 },
    outputs: { y: F32 },
    attributes: { epsilon: { type: 'float', default: 1e-5 }, groups: FLAG },
  },
  BatchNorm: {
    kind: 'float',
    inputs: { x: { ...F32, note: '[N, C, ...]' }, scale: F32, bias: F32, mean: F32, variance: F32 },
    outputs: { y: F32 },
    attributes: { epsilon: { type: 'float', default: 1e-5 }, axis: { type: 'int', default: 1 } },
  },
  Recurrent: {
    kind: 'float',
    inputs: { x: RECURRENT_GATES, r: { ...F32, note: '[D, G*H, H]' }, ...RECURRENT_INPUTS },
    outputs: RECURRENT_OUTPUTS,
    attributes: RECURRENT,
  },
  QRecurrent: {
    kind: 'float',
    inputs: {
      x: RECURRENT_GATES,
      r: { kind: 'weights', types: 'int8', note: '[D, G*H, H], constant; scales 1 or [D*G*H], zero point 0' },
      ...RECURRENT_INPUTS,
    },
    outputs: RECURRENT_OUTPUTS,
    attributes: RECURRENT,
  },
} as const satisfies StepTable
