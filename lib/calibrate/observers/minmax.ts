/** The whole range that was seen: nothing saturates, outliers cost resolution. */
import type { Observer } from './observer.js'

export const minmax: Observer = {
  range: ({ min, max }) => [min, max],
}
