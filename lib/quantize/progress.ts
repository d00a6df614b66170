/** What `onProgress` is told. */
export interface Progress {
  /** calibrate: samples; weights: weight tensors; bias: layers. */
  readonly phase: 'calibrate' | 'weights' | 'bias'
  /** How many of them are done. */
  readonly done: number
  /** How many there are; undefined where a stream does not say how long it is. */
  readonly total: number | undefined
}
