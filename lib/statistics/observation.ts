/** Observations: what is gathered about which value. Each becomes a step with state (`Observe...` in docs/steps.md). */
import type { Size, Sizes, StatisticKind } from './record.js'

/** A statistic with what it is told; the value is not chosen yet. */
export type StatisticRequest =
  | { readonly kind: 'moments' }
  /** `bins`: even; default 4,096, of which at least 1,024 cover the range that was seen. */
  | { readonly kind: 'histogram'; readonly bins?: number }
  /** `momentum`: weight of a new run in the average. */
  | { readonly kind: 'extremes'; readonly momentum: number }
  | { readonly kind: 'channelExtremes' }
  /** `perRun`: the state holds the sums of the last run only. */
  | { readonly kind: 'channelSums'; readonly perRun?: boolean }
  | { readonly kind: 'gram' }
  /** `capacity`: vectors that are kept. */
  | { readonly kind: 'samples'; readonly capacity: number }

export type Observation = StatisticRequest & {
  readonly value: string
  /** Axis of the value, in the model's layout, whose indices are channels; statistics without channels ignore it. */
  readonly channelAxis?: number
}

const BINS = 4096

/** Whether a statistic has something per channel; its value then needs an axis of known size. */
export function isPerChannel({ kind }: StatisticRequest): boolean {
  return kind === 'channelExtremes' || kind === 'channelSums' || kind === 'gram' || kind === 'samples'
}

/** Whether the record of a statistic begins with the fields of `moments`. */
export function hasMoments({ kind }: StatisticRequest): boolean {
  return kind === 'moments' || kind === 'histogram'
}

/** Sizes of the record of an observation of a value with so many channels. */
export function sizesOf(request: StatisticRequest, channels: number): Sizes {
  const sizes: Partial<Record<Size, number>> = {}
  if (isPerChannel(request)) sizes.channels = channels
  if (request.kind === 'histogram') sizes.bins = request.bins ?? BINS
  if (request.kind === 'samples') sizes.capacity = request.capacity
  return sizes
}

/** Name of the step. */
export function stepOf(kind: StatisticKind): string {
  return `Observe${kind.charAt(0).toUpperCase()}${kind.slice(1)}`
}

/** Name of the state; a value has at most one of each kind. */
export function stateOf({ kind, value }: Observation): string {
  return `observe:${kind}:${value}`
}
