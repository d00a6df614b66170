/** The observers by the names of the recipe. */
import { entropy } from './entropy.js'
import { laplace } from './laplace.js'
import { meanStd } from './mean-std.js'
import { minmax } from './minmax.js'
import { movingAverage } from './moving-average.js'
import { mse } from './mse.js'
import type { Observer } from './observer.js'
import { percentile } from './percentile.js'

export const observers = {
  minmax,
  percentile,
  entropy,
  mse,
  'moving-average': movingAverage,
  'mean-std': meanStd,
  laplace,
} as const satisfies Record<string, Observer>

/** How a range is made of what calibration saw; docs/cli.md names them all. */
export type ObserverName = keyof typeof observers

export const OBSERVER_NAMES = Object.keys(observers) as readonly ObserverName[]
