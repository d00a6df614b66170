import { describe, expect, it } from 'vitest'
import { blockWeights } from '../../../lib/compile/steps/block-weights.js'
import { rewritten } from '../../helpers/plan-text.js'

/** The last lines of what the pass makes: what comes after the constants. */
function steps(text: string, activations?: 'block' | 'float'): string[] {
  const lines = rewritten((draft) => blockWeights(draft, activations), text)
    .trim()
    .split('\n')
  return lines.filter((line) => line.includes(' = ') && line.includes('('))
}

interface Form {
  readonly type?: string
  readonly levels?: string
  readonly scales?: string
  readonly dequantize?: string
  readonly between?: string
  readonly product?: string
}

const plan = ({
  type = 'int4',
  levels = '[32, 2]',
  scales = '[2, 2]',
  dequantize = 'w(s)) { axis: 0, block_size: 16 }',
  between = '',
  product = 'MatMul(a: x, b: f) { trans_b: 0 } float #m',
}: Form) => `
  input x: float32[batch, 32]
  constant w: ${type}${levels}
  constant s: float32${scales}
  constant z: ${type}${scales}
  constant v: float32[2] = 1, 2
  constant r: float32[1] = 3
  f: float32${levels} = DequantizeLinear(x: ${dequantize} convert #dq
  ${between}
  output y: float32[batch, 2] = ${product}
  return y`

describe('blockWeights', () => {
  it('multiplies by levels, with the bias of the product', () => {
    const product = 'MatMul(a: x, b: f, bias: v) { trans_b: 0 } float #m'
    const text = plan({ dequantize: 'w(s, z)) { axis: 0, block_size: 16 }', product })
    expect(rewritten(blockWeights, text)).toMatchInlineSnapshot(`
      "input x: float32[batch, 32]
      constant w: int4[32, 2] = 32 bytes
      constant s: float32[2, 2] = 0, 0, 0, 0
      constant z: int4[2, 2] = 0, 0, 0, 0
      f: float32[32, 2] = DequantizeLinear(x: w(s, z)) { axis: 0, block_size: 16 } convert #dq
      constant v: float32[2] = 1, 2
      output y: float32[batch, 2] = BlockMatMul(a: x, b: w, scale: s, zero_point: z, bias: v) { activations: block, block_size: 16, trans_b: 0 } integer #m
      return y
      "
    `)
  })

  it('reads rows where the weights are transposed, by the product or before it', () => {
    const rows = { levels: '[2, 32]', dequantize: 'w(s)) { axis: 1, block_size: 16 }' }
    expect(
      steps(plan({ ...rows, product: 'MatMul(a: x, b: f) { trans_b: 1 } float #m' })),
    ).toMatchInlineSnapshot(`
      [
        "f: float32[2, 32] = DequantizeLinear(x: w(s)) { axis: 1, block_size: 16 } convert #dq",
        "output y: float32[batch, 2] = BlockMatMul(a: x, b: w, scale: s) { activations: float, block_size: 16, trans_b: 1 } float #m",
      ]
    `)
    const between = 't: float32[32, 2] = Transpose(x: f) { perm: [1, 0] } data #t'
    expect(steps(plan({ ...rows, between, product: 'MatMul(a: x, b: t) float #m' }))).toMatchInlineSnapshot(`
      [
        "f: float32[2, 32] = DequantizeLinear(x: w(s)) { axis: 1, block_size: 16 } convert #dq",
        "t: float32[32, 2] = Transpose(x: f) { perm: [1, 0] } data #t",
        "output y: float32[batch, 2] = BlockMatMul(a: x, b: w, scale: s) { activations: float, block_size: 16, trans_b: 1 } float #m",
      ]
    `)
  })

  it('reads scales of channels and of the tensor as blocks of all k', () => {
    const channels = plan({ type: 'int8', scales: '[2]', dequantize: 'w(s)) { axis: 1 }' })
    expect(steps(channels)).toMatchInlineSnapshot(`
      [
        "f: float32[32, 2] = DequantizeLinear(x: w(s)) { axis: 1 } convert #dq",
        "output y: float32[batch, 2] = BlockMatMul(a: x, b: w, scale: s%0) { activations: block, block_size: 32, trans_b: 0 } integer #m",
      ]
    `)
    expect(
      steps(plan({ type: 'int8', scales: '[]', dequantize: 'w(s)) { axis: 0 }' })),
    ).toMatchInlineSnapshot(`
      [
        "f: float32[32, 2] = DequantizeLinear(x: w(s)) { axis: 0 } convert #dq",
        "output y: float32[batch, 2] = BlockMatMul(a: x, b: w, scale: %0) { activations: block, block_size: 32, trans_b: 0 } integer #m",
      ]
    `)
  })

  it('takes activations as the caller says', () => {
    expect(steps(plan({}), 'float')).toMatchInlineSnapshot(`
      [
        "f: float32[32, 2] = DequantizeLinear(x: w(s)) { axis: 0, block_size: 16 } convert #dq",
        "output y: float32[batch, 2] = BlockMatMul(a: x, b: w, scale: s) { activations: float, block_size: 16, trans_b: 0 } float #m",
      ]
    `)
    expect(steps(plan({ dequantize: 'w(s)) { axis: 0, block_size: 24 }' }))).toMatchInlineSnapshot(`
      [
        "f: float32[32, 2] = DequantizeLinear(x: w(s)) { axis: 0, block_size: 24 } convert #dq",
        "output y: float32[batch, 2] = BlockMatMul(a: x, b: w, scale: s) { activations: float, block_size: 24, trans_b: 0 } float #m",
      ]
    `)
  })

  it('adds a bias that is no vector of columns after the product, and takes alpha into the scales', () => {
    const product = 'MatMul(a: x, b: f, bias: r) { alpha: 2, beta: 3 } float #m'
    expect(rewritten(blockWeights, plan({ product }))).toMatchInlineSnapshot(`
      "input x: float32[batch, 32]
      constant w: int4[32, 2] = 32 bytes
      constant s: float32[2, 2] = 0, 0, 0, 0
      f: float32[32, 2] = DequantizeLinear(x: w(s)) { axis: 0, block_size: 16 } convert #dq
      constant s%0: float32[2, 2] = 0, 0, 0, 0
      y_product: float32[batch, 2] = BlockMatMul(a: x, b: w, scale: s%0) { activations: float, block_size: 16, trans_b: 0 } float #m
      constant r: float32[1] = 3
      constant beta: float32[] = 3
      y_bias: float32[1] = Binary(a: r, b: beta) { fn: mul } float #m
      output y: float32[batch, 2] = Binary(a: y_product, b: y_bias) { fn: add } float #m
      return y
      "
    `)
  })

  it('says why weights stay float', () => {
    expect(
      steps(plan({ scales: '[4, 2]', dequantize: 'w(s)) { axis: 0, block_size: 8 }' })).at(-1),
    ).toMatchInlineSnapshot(
      `"output y: float32[batch, 2] = MatMul(a: x, b: f) { trans_b: 0 } float #m (its weights are in groups of 8: packed ones have at least 16)"`,
    )
    const values = Array.from({ length: 32 }, (_, i) => i + 1).join(', ')
    const along = plan({ scales: '[32, 1]', dequantize: 'w(s)) { axis: 1, block_size: 2 }' }).replace(
      's: float32[32, 1]',
      `s: float32[32, 1] = ${values}`,
    )
    expect(steps(along).at(-1)).toMatchInlineSnapshot(
      `"output y: float32[batch, 2] = MatMul(a: x, b: f) { trans_b: 0 } float #m (its scales are along the columns of the result)"`,
    )
    expect(steps(plan({ type: 'int16' })).at(-1)).toMatchInlineSnapshot(
      `"output y: float32[batch, 2] = MatMul(a: x, b: f) { trans_b: 0 } float #m (its weights have 16 bits)"`,
    )
    const turned = 'MatMul(a: x, b: f) { trans_a: 1 } float #m'
    expect(steps(plan({ product: turned })).at(-1)).toMatchInlineSnapshot(
      `"output y: float32[batch, 2] = MatMul(a: x, b: f) { trans_a: 1 } float #m (its first input is transposed)"`,
    )
  })

  it('takes a Conv of one group: of one element a channel as it is, else by what its windows read', () => {
    const conv = (kernel: number, attributes: string, size = 5, group = 1) => `
      input x: float32[1, ${size}, ${size}, 32]
      constant w: int4[4, ${32 / group}, ${kernel}, ${kernel}]
      constant s: float32[4]
      f: float32[4, ${32 / group}, ${kernel}, ${kernel}] = DequantizeLinear(x: w(s)) { axis: 0 } convert #dq
      output y: float32[1, ${size}, ${size}, 4] = Conv(x: x, w: f) { group: ${group}, ${attributes} } float #c
      return y`
    expect(steps(conv(1, 'strides: [1, 1], pads: [0, 0, 0, 0]'))).toMatchInlineSnapshot(`
      [
        "f: float32[4, 32, 1, 1] = DequantizeLinear(x: w(s)) { axis: 0 } convert #dq",
        "output y: float32[1, 5, 5, 4] = BlockMatMul(a: x, b: w%0, scale: s%1) { activations: float, block_size: 32, trans_b: 1 } float #c",
      ]
    `)
    expect(steps(conv(3, 'pads: [1, 1, 1, 1]'))).toMatchInlineSnapshot(`
      [
        "f: float32[4, 32, 3, 3] = DequantizeLinear(x: w(s)) { axis: 0 } convert #dq",
        "y_patches: float32[1, 5, 5, 288] = Patches(x: x) { kernel: [3, 3], pads: [1, 1, 1, 1] } data #c",
        "output y: float32[1, 5, 5, 4] = BlockMatMul(a: y_patches, b: w%0, scale: s%1) { activations: float, block_size: 288, trans_b: 1 } float #c",
      ]
    `)
    expect(steps(conv(3, 'pads: [1, 1, 1, 1]', 200)).at(-1)).toContain(
      '(its windows take more memory than float weights: they are expanded)',
    )
    expect(steps(conv(3, 'pads: [1, 1, 1, 1]', 5, 2)).at(-1)).toContain(
      '(weights of groups are expanded to float)',
    )
  })

  it('leaves weights that a run computes', () => {
    const text = `
      input x: float32[1, 32]
      input w: int8[32, 2]
      constant s: float32[] = 1
      f: float32[32, 2] = DequantizeLinear(x: w(s)) { axis: 0 } convert #dq
      output y: float32[1, 2] = MatMul(a: x, b: f) float #m
      return y`
    expect(steps(text).at(-1)).toContain('MatMul(a: x, b: f) float #m')
  })
})
