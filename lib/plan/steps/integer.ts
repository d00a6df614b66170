/** Steps on 8-bit tensors, but for products, and between real and quantized numbers. */
import {
  AXIS,
  CLAMP,
  F32,
  FLAG,
  FUNCTIONS,
  INDICES,
  INT,
  INTS,
  OUT8,
  POOL_WINDOW,
  RESIZE,
  X8,
  Y8,
} from './shared.js'
import type { StepTable } from './spec.js'

export const integerSteps = {
  QBinary: {
    kind: 'integer',
    inputs: { a: X8, b: X8, y: Y8 },
    outputs: { y: OUT8 },
    attributes: {
      fn: { type: 'text', required: true, values: ['add', 'sub', 'mul', 'max', 'min', 'prelu'] },
      ...CLAMP,
    },
    shiftsSign: true,
  },
  QUnary: {
    kind: 'integer',
    inputs: { x: X8, y: Y8 },
    outputs: { y: OUT8 },
    attributes: { ...FUNCTIONS, ...CLAMP },
    shiftsSign: true,
  },
  QPool: {
    kind: 'integer',
    inputs: { x: { ...X8, note: '[N, s..., C]' }, y: Y8 },
    outputs: { y: OUT8 },
    attributes: {
      fn: { type: 'text', required: true, values: ['max', 'average'] },
      ...POOL_WINDOW,
      ...CLAMP,
    },
    shiftsSign: true,
  },
  QReduceMean: {
    kind: 'integer',
    inputs: { x: X8, y: Y8 },
    outputs: { y: OUT8 },
    attributes: { axes: INTS, ...CLAMP },
    shiftsSign: true,
  },
  QReduceExtreme: {
    kind: 'integer',
    inputs: { x: X8, y: Y8 },
    outputs: { y: OUT8 },
    attributes: { fn: { type: 'text', required: true, values: ['max', 'min'] }, axes: INTS, ...CLAMP },
    shiftsSign: true,
  },
  QConcat: {
    kind: 'integer',
    inputs: { y: Y8, x: { ...X8, many: true } },
    outputs: { y: OUT8 },
    attributes: { axis: AXIS, ...CLAMP },
    shiftsSign: true,
  },
  QSoftmax: {
    kind: 'integer',
    inputs: { x: X8, y: Y8 },
    outputs: { y: OUT8 },
    attributes: { axis: AXIS, ...CLAMP },
    shiftsSign: true,
  },
  QResize: {
    kind: 'integer',
    inputs: { x: { ...X8, note: '[N, s..., C]' }, y: Y8 },
    outputs: { y: OUT8 },
    attributes: { fn: { type: 'text', required: true, values: ['linear'] }, ...RESIZE, ...CLAMP },
    shiftsSign: true,
  },
  QTable: {
    kind: 'data',
    inputs: { x: Y8, y: Y8 },
    outputs: { y: { ...OUT8, rank: 1, note: '[256]' } },
    attributes: { ...FUNCTIONS, ...CLAMP, unsigned: FLAG },
  },
  FlipSign: {
    kind: 'integer',
    inputs: { x: { kind: 'data', types: 'q8' } },
    outputs: { y: OUT8 },
    attributes: {},
  },
  QuantizeLinear: {
    kind: 'convert',
    inputs: {
      x: F32,
      y: { kind: 'parameters', types: 'quantized', note: 'scales as axis and block_size say' },
    },
    outputs: { y: { kind: 'data', types: 'quantized' } },
    attributes: { axis: { type: 'int', default: 1 }, block_size: FLAG, qmin: INT, qmax: INT },
    shiftsSign: true,
  },
  DequantizeLinear: {
    kind: 'convert',
    inputs: { x: { kind: 'quantized', types: 'stored', note: 'scales as axis and block_size say' } },
    outputs: { y: F32 },
    attributes: { axis: { type: 'int', default: 1 }, block_size: FLAG },
    shiftsSign: true,
  },
  GatherBlocks: {
    kind: 'integer',
    inputs: {
      x: { kind: 'data', types: 'weights', note: 'levels' },
      scale: { kind: 'data', types: 'scales', note: 'one for each block along quantize_axis' },
      zero_point: {
        kind: 'data',
        types: 'weights',
        optional: true,
        like: 'x',
        note: 'as the scale, or one; rows may be longer',
      },
      indices: INDICES,
    },
    outputs: { y: F32 },
    attributes: {
      axis: AXIS,
      quantize_axis: { type: 'int', default: 1 },
      block_size: { type: 'int', required: true },
    },
  },
  DynamicQuantizeLinear: {
    kind: 'float',
    inputs: { x: F32 },
    outputs: {
      y: OUT8,
      scale: F32,
      zero_point: OUT8,
    },
    attributes: {},
    shiftsSign: true,
  },
  QuantizeRows: {
    kind: 'convert',
    inputs: { x: { ...F32, note: '[..., k]' } },
    outputs: {
      y: { ...OUT8, note: '[..., k]' },
      scale: { ...F32, note: 'one for each row' },
      zero_point: { ...OUT8, optional: true, note: 'one for each row' },
    },
    attributes: {
      /** The scale is the width of a row by this number. */
      levels: { type: 'float', required: true },
      least: { type: 'float', default: 0 },
      symmetric: FLAG,
      ...CLAMP,
    },
    shiftsSign: true,
  },
} as const satisfies StepTable
