// Sizes of language models of Llama's kind. `hidden` is the width inside of the feed-forward part; `context` the rows of the
// tables of rotary embedding.

/** SmolLM-135M (Allal et al. 2024). */
export const SMOLLM_135M = {
  layers: 30,
  width: 576,
  heads: 9,
  keyHeads: 3,
  hidden: 1536,
  vocabulary: 49_152,
  context: 2048,
  theta: 10_000,
  epsilon: 1e-5,
}

/**
 * stories260K (Karpathy's llama2.c).
 *
 * @public Tests import it by its address.
 */
export const STORIES_260K = {
  layers: 5,
  width: 64,
  heads: 8,
  keyHeads: 4,
  hidden: 172,
  vocabulary: 512,
  context: 512,
  theta: 10_000,
  epsilon: 1e-5,
}

/**
 * A few operators of each kind: for tests.
 *
 * @public Tests import it by its address.
 */
export const TINY = {
  layers: 2,
  width: 64,
  heads: 4,
  keyHeads: 2,
  hidden: 96,
  vocabulary: 300,
  context: 256,
  theta: 10_000,
  epsilon: 1e-6,
}

export const headSize = (shape) => shape.width / shape.heads
