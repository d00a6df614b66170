/** Float steps on images, channels last: pools and resampling. */
import { F32, FLAG, POOL_WINDOW, RESIZE } from './shared.js'
import type { StepTable } from './spec.js'

export const imageSteps = {
  Pool: {
    kind: 'float',
    inputs: { x: { kind: 'data', types: 'pooled', note: '[N, s..., C]' } },
    outputs: {
      y: { kind: 'data', types: 'pooled', like: 'x' },
      indices: { kind: 'index', types: 'int64', optional: true, note: 'of max, in the NCHW order' },
    },
    attributes: {
      fn: { type: 'text', required: true, values: ['max', 'average', 'lp'] },
      ...POOL_WINDOW,
      p: { type: 'int', default: 2 },
    },
    moves: ['x'],
    movesWhen: ['fn', 'max'],
  },
  Resize: {
    kind: 'float',
    inputs: { x: { kind: 'data', types: 'bytes', note: '[N, s..., C]' } },
    outputs: { y: { kind: 'data', types: 'bytes', like: 'x' } },
    attributes: {
      fn: { type: 'text', values: ['nearest', 'linear', 'cubic'], default: 'nearest' },
      ...RESIZE,
    },
    moves: ['x'],
    movesWhen: ['fn', 'nearest'],
  },
  GridSample: {
    kind: 'float',
    inputs: { x: { ...F32, note: '[N, C, s...]' }, grid: { ...F32, note: '[N, o..., axes], x first' } },
    outputs: { y: F32 },
    attributes: {
      fn: { type: 'text', values: ['nearest', 'linear', 'cubic'], default: 'linear' },
      padding: { type: 'text', values: ['zeros', 'border', 'reflection'], default: 'zeros' },
      align_corners: FLAG,
    },
  },
} as const satisfies StepTable
