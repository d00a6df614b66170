/** What `onProgress` is told. */
export interface Progress {
  /** calibrate: samples; weights: weight tensors; bias: layers; check: samples; repair: trials. */
  readonly phase: 'calibrate' | 'weights' | 'bias' | 'check' | 'repair'
  /** How many of them are done. */
  readonly done: number
  /** How many there are; undefined where a stream does not say how long it is. */
  readonly total: number | undefined
}
