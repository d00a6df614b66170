import { describe, expect, it } from 'vitest'
import type { Attribute, ConstantTensor, Graph, Node } from '../../../lib/graph/graph.js'
import { tensorFromNumbers } from '../../../lib/graph/tensor.js'
import { readModel } from '../../../lib/onnx/index.js'
import { quantize } from '../../../lib/quantize/index.js'
import type { RecipeOptions } from '../../../lib/quantize/recipe/types.js'
import { explain } from '../../../lib/report/explain.js'
import { Random } from '../../helpers/random.js'
import { sqnrOf } from '../../helpers/sqnr.js'
import { outputsOf } from '../cases/trial.js'
import { graph, node, noise } from '../graphs.js'
import { fileOf } from '../model.js'
import { assigned } from '../record.js'

const [TIMES, BATCH, INPUTS, HIDDEN] = [7, 3, 12, 10]
/** dB: errors of a state go on to the next one. */
const BAR = 25
const GATES = { LSTM: 4, GRU: 3, RNN: 1 } as const

interface Layer {
  readonly opType: keyof typeof GATES
  readonly directions?: 1 | 2
  readonly batchMajor?: boolean
  readonly attributes?: Readonly<Record<string, Attribute>>
  /** What follows x, W and R, by position. */
  readonly more?: Readonly<Record<number, ConstantTensor>>
}

const int = (value: number): Attribute => ({ kind: 'int', value })
const texts = (...value: string[]): Attribute => ({ kind: 'strings', value })
const scaled = (by: number, ...dims: number[]) =>
  tensorFromNumbers(
    'float32',
    dims,
    Array.from(new Float32Array(new Uint8Array(noise(...dims).data).buffer), (v) => v * by),
  )

function graphOf({ opType, directions = 1, batchMajor = false, attributes = {}, more = {} }: Layer): Graph {
  const rows = GATES[opType] * HIDDEN
  const constants: Record<string, ConstantTensor> = {
    W: scaled(0.4, directions, rows, INPUTS),
    R: scaled(0.4, directions, rows, HIDDEN),
  }
  const inputs = ['x', 'W', 'R']
  for (const [at, tensor] of Object.entries(more)) {
    while (inputs.length < Number(at)) inputs.push('')
    inputs[Number(at)] = `in${at}`
    constants[`in${at}`] = tensor
  }
  const layer = node(`y, h = ${opType}(x)`, { hidden_size: HIDDEN, layout: batchMajor ? 1 : 0 })
  const direction: Attribute = { kind: 'string', value: directions === 2 ? 'bidirectional' : 'reverse' }
  return graph({
    inputs: { x: batchMajor ? [BATCH, TIMES, INPUTS] : [TIMES, BATCH, INPUTS] },
    outputs: ['y', 'h'],
    nodes: [{ ...layer, inputs, attributes: { ...layer.attributes, direction, ...attributes } }],
    constants,
  })
}

const bias = (opType: keyof typeof GATES, directions = 1) =>
  scaled(0.2, directions, 2 * GATES[opType] * HIDDEN)
const lengths = tensorFromNumbers('int32', [BATCH], [7, 3, 0])

const LAYERS: Record<string, Layer> = {
  LSTM: { opType: 'LSTM', more: { 3: bias('LSTM') } },
  'LSTM, both directions, lengths, first states': {
    opType: 'LSTM',
    directions: 2,
    more: { 3: bias('LSTM', 2), 4: lengths, 5: scaled(1, 2, BATCH, HIDDEN), 6: scaled(1, 2, BATCH, HIDDEN) },
  },
  'LSTM with peepholes and clip': {
    opType: 'LSTM',
    attributes: { clip: { kind: 'float', value: 0.7 } },
    more: { 7: scaled(0.3, 1, 3 * HIDDEN) },
  },
  'LSTM, batch first': { opType: 'LSTM', batchMajor: true, more: { 3: bias('LSTM') } },
  'LSTM with other functions': {
    opType: 'LSTM',
    attributes: { activations: texts('HardSigmoid', 'Softsign', 'Relu'), input_forget: int(1) },
  },
  GRU: { opType: 'GRU', more: { 3: bias('GRU') } },
  'GRU, linear before reset, both directions': {
    opType: 'GRU',
    directions: 2,
    attributes: { linear_before_reset: int(1) },
    more: { 3: bias('GRU', 2), 4: lengths },
  },
  RNN: { opType: 'RNN', more: { 3: bias('RNN') } },
  'RNN of Relu, both directions': {
    opType: 'RNN',
    directions: 2,
    attributes: { activations: texts('Relu', 'Tanh') },
  },
}

const random = new Random(5)
const samples = Array.from({ length: 12 }, () => random.tensor([TIMES, BATCH, INPUTS]))
const feeds = (batchMajor = false) =>
  samples.map(({ data }) => ({
    x: random.tensor(
      batchMajor ? [BATCH, TIMES, INPUTS] : [TIMES, BATCH, INPUTS],
      (i) => (data as Float32Array)[i] as number,
    ),
  }))

describe.each(Object.entries(LAYERS))('%s', (_, layer) => {
  const file = fileOf(graphOf(layer))
  const data = feeds(layer.batchMajor)

  it('has its product and its weights in integers, and is close to the float model', async () => {
    const { model, report } = await quantize(file, { data: data.slice(4) })
    expect(report.integer.map(({ opType }) => opType)).toEqual([layer.opType])
    const rows = GATES[layer.opType] * HIDDEN * (layer.directions ?? 1)
    expect(report.weights.map(({ name, scales }) => [name, scales])).toEqual([
      ['W', rows],
      ['R', rows],
    ])
    const { graph: written } = await readModel(model)
    const floats = [...written.constants.values()].filter(({ dtype }) => dtype === 'float32')
    expect(Math.max(...floats.map(({ data: { length } }) => length))).toBeLessThan(4 * 2 * 4 * HIDDEN * 3)
    const { nodes } = await explain(model)
    const steps = nodes.filter(({ opType }) => opType === layer.opType)
    expect(steps.map(({ step, kind }) => [step, kind])).toEqual([
      ['QMatMul', 'integer'],
      ['QRecurrent', 'float'],
    ])
    const [float, int8] = [await outputsOf(file, data.slice(0, 4)), await outputsOf(model, data.slice(0, 4))]
    for (const [name, wanted] of float)
      expect(sqnrOf(wanted, int8.get(name) ?? []), name).toBeGreaterThan(BAR)
  })
})

describe('recurrent layers', () => {
  it('take one scale for a tensor, and levels without a sign', async () => {
    const file = fileOf(graphOf(LAYERS['GRU, linear before reset, both directions'] as Layer))
    const data = feeds()
    const settings: readonly RecipeOptions['weights'][] = [{ granularity: 'tensor' }, { type: 'uint8' }]
    for (const weights of settings) {
      const { model } = await quantize(file, { data, weights })
      const [float, other] = [await outputsOf(file, data), await outputsOf(model, data)]
      for (const [name, wanted] of float) {
        expect(sqnrOf(wanted, other.get(name) ?? []), JSON.stringify(weights)).toBeGreaterThan(BAR)
      }
    }
  })

  it('stay in float where they are excluded, or where their weights are computed', async () => {
    const float = graphOf(LAYERS.RNN as Layer)
    const reason = async (given: Graph, options: RecipeOptions = {}) =>
      (await assigned(given, options)).fusions.float.get('RNN:y')
    expect(await reason(float)).toBeUndefined()
    expect(await reason(float, { exclude: ['RNN:y'] })).toBe('excluded by the recipe')
    const constants = new Map([...float.constants, ['half', scaled(0.5, 1, HIDDEN, HIDDEN)] as const])
    const [layer] = float.nodes as [Node]
    const inputs = layer.inputs.map((name) => (name === 'R' ? 'sum' : name))
    const nodes = [node('sum = Add(R, half)'), { ...layer, inputs }]
    expect(await reason({ ...float, nodes, constants })).toBe('its weights are not constants')
  })
})
