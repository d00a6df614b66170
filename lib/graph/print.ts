/**
 * A graph as text, for people and golden tests:
 *
 *     graph main (x: float32[n, 3]) -> (y: float32[n, 2])
 *       w: float32[3, 2] = 0.5 1 -2 ...
 *       state count: int64[1] = 0 <- count_plus_one
 *       y = Gemm(x, w) {transB=1} # Gemm_0
 */

import { byteLength } from './dtype.js'
import { formatDim } from './expr.js'
import type { Attribute, ConstantTensor, Graph, Node, TensorType } from './graph.js'
import { ownedGraphs } from './subgraph.js'
import { elementCount, numbersOf } from './tensor.js'

export interface PrintOptions {
  /** Elements of a constant to show; larger ones end in "...". 0: its type alone. Default 8. */
  readonly elements?: number
  /** Names of nodes as comments. Default true. */
  readonly names?: boolean
}

export function printGraph(graph: Graph, options: PrintOptions = {}): string {
  const lines: string[] = []
  print(graph, '', `graph ${graph.name || 'main'}`, options, lines)
  return `${lines.join('\n')}\n`
}

export function formatType(type: TensorType | undefined): string {
  if (type === undefined) return '?'
  return type.shape === undefined
    ? `${type.dtype}[?]`
    : `${type.dtype}[${type.shape.map(formatDim).join(', ')}]`
}

function print(graph: Graph, indent: string, title: string, options: PrintOptions, lines: string[]): void {
  const typed = (names: readonly string[]) =>
    names.map((name) => `${name}: ${formatType(typeOf(graph, name))}`).join(', ')
  const captures = graph.captures.length > 0 ? ` captures (${graph.captures.join(', ')})` : ''
  lines.push(`${indent}${title} (${typed(graph.inputs)}) -> (${typed(graph.outputs)})${captures}`)
  for (const [name, tensor] of graph.constants) {
    lines.push(`${indent}  ${name}: ${formatConstant(tensor, options)}`)
  }
  for (const [name, { type, initial }] of graph.states ?? []) {
    const first = initial ? formatConstant(initial, options) : formatType(type)
    const update = graph.updates?.get(name)
    lines.push(`${indent}  state ${name}: ${first}${update === undefined ? '' : ` <- ${update}`}`)
  }
  for (const node of graph.nodes) printNode(node, `${indent}  `, options, lines)
}

function typeOf(graph: Graph, name: string): TensorType | undefined {
  const constant = graph.constants.get(name)
  return constant ? { dtype: constant.dtype, shape: constant.dims } : graph.types.get(name)
}

function printNode(node: Node, indent: string, options: PrintOptions, lines: string[]): void {
  const outputs = node.outputs.map((name) => name || '_').join(', ')
  const inputs = node.inputs.map((name) => name || '_').join(', ')
  const attributes = Object.keys(node.attributes)
    .sort()
    .flatMap((name) => {
      const attribute = node.attributes[name] as Attribute
      return attribute.kind === 'graph' ? [] : [`${name}=${formatAttribute(attribute, options)}`]
    })
  const type = node.domain === '' ? node.opType : `${node.domain}.${node.opType}`
  const braces = attributes.length > 0 ? ` {${attributes.join(', ')}}` : ''
  const captures = node.captures?.length ? ` captures (${node.captures.join(', ')})` : ''
  const comment = options.names === false ? '' : ` # ${node.name}`
  lines.push(`${indent}${outputs} = ${type}(${inputs})${braces}${captures}${comment}`)
  for (const [name, graph] of ownedGraphs(node)) print(graph, `${indent}  `, name, options, lines)
}

function formatAttribute(attribute: Exclude<Attribute, { kind: 'graph' }>, options: PrintOptions): string {
  switch (attribute.kind) {
    case 'int':
      return String(attribute.value)
    case 'float':
      return formatFloat(attribute.value)
    case 'string':
      return JSON.stringify(attribute.value)
    case 'ints':
      return `[${attribute.value.join(', ')}]`
    case 'floats':
      return `[${attribute.value.map(formatFloat).join(', ')}]`
    case 'strings':
      return JSON.stringify(attribute.value)
    case 'tensor':
      return formatConstant(attribute.value, options)
  }
}

function formatConstant(tensor: ConstantTensor, { elements = 8 }: PrintOptions): string {
  const type = `${tensor.dtype}[${tensor.dims.join(', ')}]`
  const count = elementCount(tensor.dims)
  if (elements === 0 || count === 0) return type
  const words = firstElements(tensor, Math.min(count, elements))
  if (count > elements) words.push('...')
  return `${type} = ${words.join(' ')}`
}

function firstElements(tensor: ConstantTensor, count: number): string[] {
  const { dtype, strings } = tensor
  if (dtype === 'string') return (strings ?? []).slice(0, count).map((s) => JSON.stringify(s))
  const data = tensor.data.subarray(0, byteLength(dtype, count))
  return Array.from(numbersOf({ dtype, dims: [count], data }), formatNumber)
}

/** With a point, which tells it from an integer. */
function formatFloat(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : formatNumber(value)
}

/** Up to six digits, so that the last bit of a float does not decide a golden test. */
function formatNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)))
}
