/** Files of formats with fewer levels: no quantized value leaves them, and ONNX, Octavo and onnxruntime say the same. */
import { describe, expect, test } from 'vitest'
import { openEngine } from '../../lib/calibrate/engine.js'
import type { Graph } from '../../lib/graph/graph.js'
import { numbersOf } from '../../lib/graph/tensor.js'
import { readModel } from '../../lib/onnx/index.js'
import { quantize } from '../../lib/quantize/index.js'
import { activationFormat, isStatic, weightFormat } from '../../lib/quantize/recipe/levels.js'
import type { RecipeOptions } from '../../lib/quantize/recipe/types.js'
import { explain } from '../../lib/report/explain.js'
import { InferenceSession } from '../../lib/session/session.js'
import type { Sample } from '../models/catalog.js'
import { openReference, reference } from '../models/reference.js'
import { fileOf, samplesOf, variedNet } from './model.js'
import { evaluate } from './qdq-reference.js'

const float = fileOf(variedNet())
const data = samplesOf(8)
/** Far beyond what calibration saw: everything saturates somewhere. */
const wild = samplesOf(4, 3, 77)

const recipes: readonly (readonly [string, RecipeOptions])[] = [
  ['the default', {}],
  ['narrow int8', { activations: { levels: 'narrow' } }],
  ['7-bit int8', { activations: { levels: '7-bit' }, weights: { levels: '7-bit' } }],
  [
    '7-bit uint8',
    { activations: { type: 'uint8', levels: '7-bit' }, weights: { type: 'uint8', levels: '7-bit' } },
  ],
  ['0..127 in int8', { activations: { levels: '0..127' } }],
  ['0..127 in uint8, symmetric', { activations: { type: 'uint8', levels: '0..127', symmetric: true } }],
  ['weights of all levels', { weights: { levels: 'full', range: 'minmax' } }],
  [
    '4 bits of both',
    { activations: { levels: { qmin: -8, qmax: 7 } }, weights: { levels: { qmin: -7, qmax: 7 } } },
  ],
  ['a lopsided range', { activations: { type: 'uint8', levels: { qmin: 10, qmax: 200 } } }],
  [
    'two formats in one model',
    {
      rules: [
        { match: { opType: 'Conv' }, activations: { levels: '7-bit' }, weights: { levels: 'full' } },
        { match: { opType: 'Add' }, activations: { type: 'uint8' } },
      ],
    },
  ],
]

async function quantized(options: RecipeOptions) {
  const { model, recipe } = await quantize(float, { data, ...options })
  return { model, recipe, graph: (await readModel(model)).graph }
}

/** The constants that a DequantizeLinear or QuantizeLinear with an initial reads: weights, by what they dequantize. */
function quantizedNames(graph: Graph): string[] {
  return graph.nodes.filter((n) => n.opType === 'QuantizeLinear').map((n) => n.outputs[0] as string)
}

function levelsOf(bytes: Uint8Array, dtype: string): number[] {
  const copy = bytes.slice()
  return [...(dtype === 'int8' ? new Int8Array(copy.buffer) : copy)]
}

describe.each(recipes)('%s', (_, options) => {
  test('all levels are within the format', async () => {
    const { graph, recipe } = await quantized(options)
    if (recipe.rules.length > 0) return
    if (!isStatic(recipe.activations)) throw new Error('expected static activations')
    const { qmin, qmax, storage } = activationFormat(recipe.activations)
    const names = quantizedNames(graph)
    const engine = await openEngine(graph, { extraOutputs: names })
    const used = new Set<number>()
    for (const { x } of wild) {
      const feed = {
        dtype: 'float32' as const,
        dims: [...x.dims],
        data: new Uint8Array((x.data as Float32Array).buffer),
      }
      const results = await engine.run({ x: feed }, names)
      for (const name of names) {
        for (const q of levelsOf(results[name]?.data ?? new Uint8Array(), storage)) used.add(q)
      }
    }
    engine.release()
    expect([Math.min(...used), Math.max(...used)]).toEqual([qmin, qmax])
    const weights = weightFormat(recipe.weights)
    const stored = [...graph.constants.values()].filter(
      ({ dtype, dims }) => dtype === recipe.weights.type && (dims.length === 2 || dims[2] === 3),
    )
    expect(stored).toHaveLength(3)
    for (const tensor of stored) {
      const levels = [...numbersOf(tensor)]
      expect(Math.min(...levels)).toBeGreaterThanOrEqual(weights.qmin)
      expect(Math.max(...levels)).toBeLessThanOrEqual(weights.qmax)
    }
  })

  test('everything runs in integers', async () => {
    const { model } = await quantized(options)
    const { nodes } = await explain(model)
    const inFloat = nodes.filter((n) => n.kind === 'float')
    expect(inFloat.map((n) => n.node)).toEqual([])
  })

  test('Octavo gives what ONNX says', async () => {
    const { model, graph } = await quantized(options)
    const session = await InferenceSession.create(model)
    for (const { x } of wild) {
      const { y } = await session.run({ x })
      const wanted =
        evaluate(graph, { x: { dims: x.dims, data: x.data as Float32Array } }).get('y')?.data ?? []
      Array.from(y?.data as Float32Array).forEach((v, i) => {
        expect(v).toBeCloseTo(wanted[i] as number, 2)
      })
    }
    await session.release()
  })

  test.skipIf(!reference)('onnxruntime gives the same', async () => {
    const { model } = await quantized(options)
    const [session, other] = [await InferenceSession.create(model), await openReference(model)]
    for (const { x } of wild) {
      const { y } = await session.run({ x })
      const theirs = (
        await other.run({
          x: { type: 'float32', data: x.data as Float32Array, dims: [...x.dims] },
        } satisfies Sample)
      ).y
      Array.from(y?.data as Float32Array).forEach((v, i) => {
        expect(v).toBeCloseTo(theirs?.data[i] as number, 2)
      })
    }
    await session.release()
    await other.release()
  })
})
