/** What `onProgress` is told. */
export interface Progress {
  /** calibrate: samples; weights: weight tensors; bias: layers. */
  readonly phase: 'calibrate' | 'weights' | 'bias'
  readonly done: number
  /** Undefined where a stream does not say how long it is. */
  readonly total: number | undefined
}
