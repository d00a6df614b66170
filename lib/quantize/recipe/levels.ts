/** The integers that a setting stands for, as the bounds of a format. */
import { FORMATS, type Format, levelsOf, middleOf, SIGNS, withBounds } from '../../graph/format.js'
import type { ActivationSettings, Levels, QuantizedType, WeightSettings, WeightType } from './types.js'

/** What weights use where the recipe does not say: kernels of 8 bits may wrap where two lowest levels meet; fewer bits spare none. */
export function defaultWeightLevels(type: WeightType): Levels {
  return type === 'int8' || type === 'uint8' ? 'narrow' : 'full'
}

/** Whether activations are quantized by scales that samples tell. */
export function isStatic<T extends { readonly type: ActivationSettings['type'] }>(
  settings: T,
): settings is T & { readonly type: QuantizedType } {
  return settings.type in FORMATS
}

/** The format of values. Throws a RangeError where the levels are not within the type. */
export function activationFormat({
  type,
  levels,
}: {
  readonly type: QuantizedType
  readonly levels: Levels
}): Format {
  const format = FORMATS[type]
  // The half around the middle where there are negative numbers, else the lower half.
  const lowest = format.signed ? format.qmin / 2 : 0
  return bounded(format, levels, lowest)
}

/** The format of weights. Those that are symmetric have levels on both sides of their zero point. Throws a RangeError where they would not. */
export function weightFormat({
  type,
  levels,
  symmetric = true,
}: Pick<WeightSettings, 'type' | 'levels'> & Partial<Pick<WeightSettings, 'symmetric'>>): Format {
  if (type === 'w1') {
    if (levels !== 'full')
      throw new RangeError(`expected full, the two levels of w1, got ${JSON.stringify(levels)}`)
    return SIGNS
  }
  const full = FORMATS[type]
  const middle = middleOf(full)
  const format = bounded(full, levels, middle - levelsOf(full) / 4)
  if (symmetric && (format.qmin >= middle || format.qmax <= middle)) {
    throw new RangeError(
      `expected levels of weights on both sides of ${middle}, the zero point of ${type}, got [${format.qmin}, ${format.qmax}]`,
    )
  }
  return format
}

/** `lowest`: where the half of the levels that 7 bits are begins. */
function bounded(format: Format, levels: Levels, lowest: number): Format {
  if (typeof levels !== 'string') return withBounds(format, levels.qmin, levels.qmax)
  switch (levels) {
    case 'full':
      return format
    case 'narrow':
      return withBounds(format, format.qmin + 1, format.qmax)
    case '7-bit':
      if (format.bits !== 8)
        throw new RangeError(`expected a type of 8 bits for 7-bit, got ${format.storage}`)
      return withBounds(format, lowest, lowest + levelsOf(format) / 2 - 1)
    case '0..127':
      return withBounds(format, 0, 127)
  }
}
