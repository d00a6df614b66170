/** The integers that a setting stands for, as the bounds of a format. */
import { FORMATS, type Format, levelsOf, middleOf, withBounds } from '../../graph/format.js'
import type { ActivationSettings, Levels, WeightSettings } from './types.js'

/** The format of values. Throws a RangeError where the levels are not within the type. */
export function activationFormat({ type, levels }: Pick<ActivationSettings, 'type' | 'levels'>): Format {
  const format = FORMATS[type]
  // The half around the middle where there are negative numbers, else the lower half.
  const lowest = format.signed ? format.qmin / 2 : 0
  return bounded(format, levels, lowest)
}

/** The format of weights, which have levels on both sides of their zero point. Throws a RangeError where they would not. */
export function weightFormat({ type, levels }: Pick<WeightSettings, 'type' | 'levels'>): Format {
  const full = FORMATS[type]
  const middle = middleOf(full)
  const format = bounded(full, levels, middle - levelsOf(full) / 4)
  if (format.qmin >= middle || format.qmax <= middle) {
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
      return withBounds(format, lowest, lowest + levelsOf(format) / 2 - 1)
    case '0..127':
      return withBounds(format, 0, 127)
  }
}
