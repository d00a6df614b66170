/** A graph as data: what the generator makes, the shrinker takes apart, and a failure prints. */

import { Tensor } from '../../lib/session/tensor.js'
import {
  type AttributeInit,
  float,
  floatTensor,
  INT64,
  int,
  ints,
  modelBytes,
  node,
  text,
  value,
} from '../helpers/model.js'
import type { Random } from '../helpers/random.js'
import type { Feeds } from '../quantize/cases/trial.js'

export type Attribute = number | string | readonly number[] | { readonly float: number }

export interface RandomNode {
  readonly op: string
  /** Names of values or constants; '' for an input that is left out. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Readonly<Record<string, Attribute>>
}

/** A float32 input of the model and how its samples are drawn. */
export interface RandomInput {
  readonly name: string
  readonly dims: readonly number[]
  /** Standard deviation. */
  readonly size: number
  readonly mean: number
  /** Samples differ in size among each other, by up to this factor. */
  readonly spread: number
  /** One tensor per sample, as a larger graph gave them: nothing is drawn. */
  readonly recorded?: readonly Float32Array[]
}

export interface RandomConstant {
  readonly type: 'float32' | 'int64'
  readonly dims: readonly number[]
  readonly data: readonly number[]
}

export interface RandomGraph {
  readonly seed: number
  readonly inputs: readonly RandomInput[]
  readonly constants: ReadonlyMap<string, RandomConstant>
  readonly nodes: readonly RandomNode[]
  readonly outputs: readonly string[]
  /** Sizes of every value. */
  readonly dims: ReadonlyMap<string, readonly number[]>
}

/** Without nodes and constants that no output needs. Inputs stay: samples feed them. */
export function pruned(graph: RandomGraph): RandomGraph {
  const wanted = new Set(graph.outputs)
  const nodes: RandomNode[] = []
  for (const item of [...graph.nodes].reverse()) {
    if (!item.outputs.some((name) => wanted.has(name))) continue
    nodes.unshift(item)
    for (const name of item.inputs) wanted.add(name)
  }
  const constants = new Map([...graph.constants].filter(([name]) => wanted.has(name)))
  return { ...graph, nodes, constants, inputs: graph.inputs.filter((input) => wanted.has(input.name)) }
}

/** The bytes of the model; a node has the name of its first output. */
export function bytesOf(graph: RandomGraph): Uint8Array {
  return modelBytes({
    name: 'random',
    input: graph.inputs.map(({ name, dims }) => value(name, dims)),
    output: graph.outputs.map((name) => value(name)),
    initializer: [...graph.constants].map(([name, { type, dims, data }]) =>
      type === 'float32'
        ? floatTensor(name, [...dims], [...data])
        : { name, dataType: INT64, dims: dims.map(BigInt), int64Data: data.map(BigInt) },
    ),
    node: graph.nodes.map(({ op, inputs, outputs, attributes }) =>
      node(op, [...inputs], [...outputs], Object.entries(attributes).map(attributeOf), `node_${outputs[0]}`),
    ),
  })
}

function attributeOf([name, given]: readonly [string, Attribute]): AttributeInit {
  if (typeof given === 'number') return int(name, given)
  if (typeof given === 'string') return text(name, given)
  return 'float' in given ? float(name, given.float) : ints(name, [...given])
}

export function samplesOf(graph: RandomGraph, count: number, random: Random): Feeds[] {
  return Array.from({ length: count }, (_, i) =>
    Object.fromEntries(
      graph.inputs.map(({ name, dims, size, mean, spread, recorded }) => {
        if (recorded) return [name, new Tensor('float32', recorded[i] as Float32Array, dims)]
        const deviation = size * spread ** random.uniform(-0.5, 0.5)
        return [name, random.tensor(dims, () => random.normal(deviation, mean))]
      }),
    ),
  )
}

/** One line per input, node and output. */
export function textOf(graph: RandomGraph): string {
  const operand = (name: string) => {
    const constant = graph.constants.get(name)
    if (!constant) return name
    const { type, dims, data } = constant
    if (data.length <= 4) return `[${data.map((v) => (type === 'int64' ? v : v.toPrecision(3))).join(' ')}]`
    const size = Math.sqrt(data.reduce((sum, v) => sum + v * v, 0) / data.length)
    return `${name}[${dims.join('x')} ~${size.toPrecision(2)}]`
  }
  const lines = [
    ...graph.inputs.map(inputText),
    ...graph.nodes.map(({ op, inputs, outputs, attributes }) => {
      const sizes = outputs.map((name) => `${name} [${(graph.dims.get(name) ?? []).join(' ')}]`).join(', ')
      const given = Object.keys(attributes).length === 0 ? '' : ` ${JSON.stringify(attributes)}`
      return `${sizes} = ${op}(${inputs.map(operand).join(', ')})${given}`
    }),
    `outputs ${graph.outputs.join(' ')}`,
  ]
  return lines.join('\n')
}

function inputText({ name, dims, size, mean, spread, recorded }: RandomInput): string {
  const drawn = `deviation ${size.toPrecision(3)} mean ${mean.toPrecision(3)}`
  const how = recorded ? 'as the whole graph makes it' : `spread ${spread.toPrecision(3)}`
  return `input ${name} [${dims.join(' ')}] ${drawn}, ${how}`
}
