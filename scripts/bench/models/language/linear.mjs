// Products with weights in the forms that exporters of language models write: x [..., columns] by rows of weights
// [rows, columns] -> [..., rows]. And tables of embeddings.
import { tensorFromNumbers, tensorOf } from '../../../../dist/graph/tensor.js'
import { bnb4, bytesOf, bytesTransposed, nibbles } from './blocks.mjs'

const MICROSOFT = { domain: 'com.microsoft' }
const INT32_TO_FLOAT = 1

/**
 * forms: how products and the table of embeddings are written, by the names that files of transformers.js have.
 * `float`: the type of activations and scales.
 */
export const FORMS = {
  fp32: { float: 'float32', product: floatProduct, table: floatTable },
  q4: { float: 'float32', product: blockProduct, table: blockTable },
  q4f16: { float: 'float16', product: blockProduct, table: blockTable },
  q8: { float: 'float32', product: byteProduct, table: byteTable },
  bnb4: { float: 'float32', product: bnb4Product, table: floatTable },
}

function floatProduct(b, x, data, [rows, columns]) {
  const turned = new Float32Array(data.length)
  for (let r = 0; r < rows; ++r)
    for (let c = 0; c < columns; ++c) turned[c * rows + r] = data[r * columns + c]
  return b.node('MatMul', [x, b.tensor(tensorOf('float32', [columns, rows], turned))])
}

function floatTable(b, ids, data, dims) {
  return b.node('Gather', [b.tensor(tensorOf('float32', dims, Float32Array.from(data))), ids])
}

function blockProduct(b, x, data, [rows, columns], { float, block = 32, symmetric = true, level = 4 }) {
  const { bytes, scales, zeroPoints, blocks } = nibbles(data, rows, columns, block, symmetric)
  const inputs = [
    x,
    b.tensor(tensorOf('uint8', [rows, blocks, block / 2], bytes)),
    b.tensor(tensorFromNumbers(float, [rows * blocks], scales)),
  ]
  if (!symmetric) inputs.push(b.tensor(tensorOf('uint8', [zeroPoints.length], zeroPoints)))
  const attributes = { K: columns, N: rows, bits: 4, block_size: block, accuracy_level: level }
  return b.node('MatMulNBits', inputs, attributes, MICROSOFT)
}

function blockTable(b, ids, data, [rows, columns], { float, block = 32 }) {
  const { bytes, scales, blocks } = nibbles(data, rows, columns, block)
  const inputs = [
    b.tensor(tensorOf('uint8', [rows, columns / 2], bytes)),
    ids,
    b.tensor(tensorFromNumbers(float, [rows, blocks], scales)),
  ]
  const attributes = { gather_axis: 0, quantize_axis: 1, block_size: block, bits: 4 }
  return b.node('GatherBlockQuantized', inputs, attributes, MICROSOFT)
}

function bnb4Product(b, x, data, [rows, columns], { block = 64 }) {
  const { bytes, absmax } = bnb4(data, block)
  const inputs = [
    x,
    b.tensor(tensorOf('uint8', [bytes.length], bytes)),
    b.tensor(tensorOf('float32', [absmax.length], absmax)),
  ]
  return b.node('MatMulBnb4', inputs, { K: columns, N: rows, block_size: block, quant_type: 1 }, MICROSOFT)
}

/** As onnxruntime's quantize_dynamic writes it. */
function byteProduct(b, x, data, [rows, columns]) {
  const weights = bytesTransposed(data, rows, columns)
  const prefix = `${x}_quantized`
  const names = [prefix, `${prefix}_scale`, `${prefix}_zero_point`]
  if (!b.has(prefix)) b.node('DynamicQuantizeLinear', [x], {}, { outputs: names })
  const sum = b.node('MatMulInteger', [
    names[0],
    b.tensor(tensorOf('uint8', [columns, rows], weights.bytes)),
    names[2],
    b.tensor(tensorOf('uint8', [], Uint8Array.of(weights.zero))),
  ])
  const scale = b.node('Mul', [names[1], b.floats([weights.scale], [1])])
  return b.node('Mul', [b.node('Cast', [sum], { to: INT32_TO_FLOAT }), scale])
}

function byteTable(b, ids, data, dims) {
  const { bytes, scale, zero } = bytesOf(data)
  const rows = b.node('Gather', [b.tensor(tensorOf('uint8', dims, bytes)), ids])
  const point = b.tensor(tensorOf('uint8', [], Uint8Array.of(zero)))
  return b.node('DequantizeLinear', [rows, b.floats([scale], []), point])
}
