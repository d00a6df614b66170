// A decoder of Llama's kind (RMS norm, rotary embedding, grouped heads, SwiGLU) as transformers.js and onnxruntime-genai have
// them in files: input_ids, attention_mask, position_ids and past_key_values.N.key/.value in; logits and present.N.key/.value out.
import { tensorFromNumbers } from '../../../../dist/graph/tensor.js'
import { Builder } from '../builder.mjs'
import { groupQueryAttention, spelledAttention } from './attention.mjs'
import { FORMS } from './linear.mjs'
import { headSize } from './shapes.mjs'

const MICROSOFT = 'com.microsoft'
const FLOAT = { float32: 1, float16: 10 }

/**
 * The bytes of the model. `weights(name, dims)`: the numbers of each. Options: `form` (of FORMS; block, symmetric, level of
 * q4), `attention`: `group-query` (one operator, which turns queries and keys itself), `rotary` (RotaryEmbedding before it),
 * `spelled` (standard operators), `table`: the form of the
 * table of embeddings where it is another; `packed`: one product for q, k and v.
 */
export function decoder(shape, weights, options = {}) {
  const { form = 'q4', attention = 'group-query' } = options
  const { float, product } = FORMS[form]
  const { table } = FORMS[options.table ?? form]
  const b = new Builder(1)
  const settings = { ...options, float, attention }
  const ids = b.input('input_ids', 'int64', ['batch_size', 'sequence_length'])
  const mask = b.input('attention_mask', 'int64', ['batch_size', 'total_sequence_length'])
  const positions =
    attention === 'group-query' ? '' : b.input('position_ids', 'int64', ['batch_size', 'sequence_length'])
  const pastShape = ['batch_size', shape.keyHeads, 'past_sequence_length', headSize(shape)]
  const presentShape = ['batch_size', shape.keyHeads, 'total_sequence_length', headSize(shape)]
  for (let i = 0; i < shape.layers; ++i) {
    for (const part of ['key', 'value']) b.input(`past_key_values.${i}.${part}`, float, pastShape)
  }
  const linear = (name, x, dims) => product(b, x, weights(name, dims), dims, settings)
  const vector = (name) => b.tensor(tensorFromNumbers(float, [shape.width], weights(name, [shape.width])))
  const graph = { b, shape, settings, linear, positions, mask, ...tables(b, shape, float) }
  const attend = attention === 'spelled' ? spelledAttention(graph) : groupQueryAttention(graph)

  const embeddings = [shape.vocabulary, shape.width]
  let residual = table(b, ids, weights('embedding', embeddings), embeddings, settings)
  let x = b.node('SimplifiedLayerNormalization', [residual, vector('0.inputNorm')], {
    axis: -1,
    epsilon: { float: shape.epsilon },
  })
  /** Adds to the residual, and gives the norm of the sum. */
  const next = (added, norm) => {
    const sum = `${norm}.sum`
    x = b.node(
      'SkipSimplifiedLayerNormalization',
      [residual, added, vector(norm)],
      { epsilon: { float: shape.epsilon } },
      { domain: MICROSOFT, outputs: [`${norm}.out`, '', '', sum] },
    )
    residual = sum
  }
  for (let i = 0; i < shape.layers; ++i) {
    next(linear(`${i}.o`, attend(x, i), [shape.width, shape.width]), `${i}.postNorm`)
    const gate = linear(`${i}.gate`, x, [shape.hidden, shape.width])
    const up = linear(`${i}.up`, x, [shape.hidden, shape.width])
    const swish = b.node('Mul', [gate, b.node('Sigmoid', [gate])])
    const down = linear(`${i}.down`, b.node('Mul', [swish, up]), [shape.width, shape.hidden])
    next(down, i + 1 === shape.layers ? 'finalNorm' : `${i + 1}.inputNorm`)
  }
  const logits = linear('head', x, embeddings)
  b.node('Cast', [logits], { to: FLOAT.float32 }, { outputs: ['logits'] })
  b.output('logits', { dtype: 'float32', shape: ['batch_size', 'sequence_length', shape.vocabulary] })
  for (let i = 0; i < shape.layers; ++i) {
    for (const part of ['key', 'value'])
      b.output(`present.${i}.${part}`, { dtype: float, shape: presentShape })
  }
  return b.model('decoder')
}

/** Cosines and sines of the angles, [context, head / 2]. */
function tables(b, shape, float) {
  const half = headSize(shape) / 2
  const angles = Array.from({ length: shape.context * half }, (_, i) => {
    return Math.floor(i / half) / shape.theta ** ((i % half) / half)
  })
  const table = (f) => b.tensor(tensorFromNumbers(float, [shape.context, half], angles.map(f)))
  return { cos: table(Math.cos), sin: table(Math.sin) }
}
