/** A table of embeddings as the file holds it. */
export interface Table {
  readonly dims: readonly number[]
  /** int8, one byte an element. */
  readonly levels: Uint8Array
  /** Elements of a row that share a scale: all, or some. */
  readonly block: number
  /** In the order of the blocks. */
  readonly scales: Float32Array
}
