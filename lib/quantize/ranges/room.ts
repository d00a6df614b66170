/** Room in ranges for what other samples may show: more where few elements were seen, none where a function leaves most of its range unused. */
import type { Moments } from '../../statistics/record.js'
import { type Range, UNBOUNDED } from '../../statistics/summary.js'

/** So many elements show the ends of a distribution; fewer leave room beyond them, the more the fewer they are. */
const MANY_ELEMENTS = 4096
const ROOM_OF_FEW = 4

/** The range that `count` elements showed, with room; no end leaves the domain of those who read it. */
export function widened([low, high]: Range, count: number, domain: Range = UNBOUNDED): Range {
  if (count === 0 || count >= MANY_ELEMENTS) return [low, high]
  const factor = 1 + ROOM_OF_FEW / Math.sqrt(count)
  return [
    Math.max(low * factor, Math.min(low, domain[0])),
    Math.min(high * factor, Math.max(high, domain[1])),
  ]
}

/** Room that a narrowed range leaves for what other samples may show. */
const ROOM = 1.5
/** Narrower than this no range of a function is made. */
const LEAST_SHARE = 2 ** -10

/** The range of a function, halved while what was seen needs no more: attention over many tokens is far from 1. */
export function narrowed(range: Range, seen: Moments | undefined): Range {
  if (!seen || seen.count === 0) return range
  let share = 1
  const fits = (part: number) => ROOM * seen.min >= range[0] * part && ROOM * seen.max <= range[1] * part
  while (share > LEAST_SHARE && fits(share / 2)) share /= 2
  return [range[0] * share, range[1] * share]
}
