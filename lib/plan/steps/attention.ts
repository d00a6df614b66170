/** Attention and what it reads: positions turned into angles, and a past that grows. */
import { BYTES, F32, FLAG, INT, LIKE_X, OPTIONAL_F32 } from './shared.js'
import type { OperandSpec, StepTable } from './spec.js'

const HEADS_NOTE = '[B, S, heads * size] or [B, heads, S, size]'
const STARTS = {
  kind: 'index',
  types: 'index',
  optional: true,
} as const satisfies OperandSpec
const SCALES = { ...OPTIONAL_F32, rank: 3, note: 'of int8 rows, [B, kv heads, T]' } as const

export const attentionSteps = {
  Rotary: {
    kind: 'float',
    inputs: {
      x: { ...F32, rank: [3, 4], note: HEADS_NOTE },
      cos: { ...F32, rank: [2, 3], note: '[positions, half], or [B, S, half] without positions' },
      sin: { ...F32, rank: [2, 3], note: 'as cos' },
      positions: { ...STARTS, note: '[B, S]; or of the first one of S, [B] or one for all' },
    },
    outputs: { y: { ...F32, note: 'as x' } },
    attributes: { heads: INT, interleaved: FLAG },
  },
  Append: {
    kind: 'data',
    inputs: {
      past: { ...BYTES, optional: true, rank: [3, 4], note: '[B, heads, P, size], or without size' },
      x: { ...BYTES, rank: [3, 4], note: `${HEADS_NOTE}, or [B, heads, S]` },
      starts: { ...STARTS, note: '[B] or one for all; absent: P' },
    },
    outputs: { y: { ...LIKE_X, rank: [3, 4], note: '[B, heads, T, size]' } },
    attributes: { heads: INT },
    writesOver: ['past'],
  },
  Attention: {
    kind: 'float',
    inputs: {
      q: { ...F32, rank: [3, 4], note: HEADS_NOTE },
      k: {
        kind: 'data',
        types: 'cached',
        rank: [3, 4],
        note: '[B, T, kv heads * size] or [B, kv heads, T, size]',
      },
      v: { kind: 'data', types: 'cached', like: 'k', rank: [3, 4], note: 'as k, of a size of its own' },
      bias: { ...OPTIONAL_F32, rank: 4, note: '[B or 1, heads or 1, S or 1, T], added to scores' },
      starts: { ...STARTS, note: 'keys before the first query, [B] or one for all; absent: T - S' },
      lengths: { ...STARTS, note: 'keys that there are, [B] or one for all; absent: T' },
      sinks: { ...OPTIONAL_F32, rank: 1, note: '[heads], a score without a value' },
      k_scales: SCALES,
      v_scales: SCALES,
    },
    outputs: { y: { ...F32, rank: [3, 4], note: '[B, S, heads * size] or [B, heads, S, size]' } },
    attributes: {
      heads: INT,
      kv_heads: INT,
      scale: { type: 'float', required: true },
      softcap: { type: 'float', default: 0 },
      causal: FLAG,
      window: { type: 'int', default: 0 },
    },
  },
} as const satisfies StepTable
