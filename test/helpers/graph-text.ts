/** Graphs from their text, as `printGraph` writes it: golden tests of passes are text in, text out. */
import { DTYPES, type DType } from '../../lib/graph/dtype.js'
import { type Dim, symbol } from '../../lib/graph/expr.js'
import type {
  Attribute,
  ConstantTensor,
  Graph,
  Node,
  StateTensor,
  TensorType,
} from '../../lib/graph/graph.js'
import { printGraph } from '../../lib/graph/print.js'
import { elementCount, stringTensor, tensorFromNumbers } from '../../lib/graph/tensor.js'

/**
 * Reads the text of a graph. Names of nodes may be left out: they are then the operator and the first output. A constant
 * without elements is zeros; "..." repeats its last element.
 */
export function parseGraph(text: string): Graph {
  const lines = withoutMargin(text)
  const graph = readGraph(lines, 0)
  if (lines.length > 0) throw new Error(`Expected the end of the graph, got "${lines[0]}"`)
  return graph
}

/** The graph as text without names of nodes, which most passes leave alone. */
export function textOf(graph: Graph, names = false): string {
  return printGraph(graph, { names }).trimEnd()
}

/** Lines of a template string, without the indentation that all of them have. */
export function withoutMargin(text: string): string[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const margin = Math.min(...lines.map(indentOf))
  return lines.map((line) => line.slice(margin))
}

const indentOf = (line: string): number => line.length - line.trimStart().length

const HEADER = /^(?:graph )?(\S+) \((.*?)\) -> \((.*?)\)(?: captures \((.*?)\))?$/
const NODE = /^(.*?) = ([\w.]+)\((.*?)\)(?: \{(.*)\})?(?: captures \((.*?)\))?(?: # (\S+))?$/
const STATE = /^state (\S+): (\w+\[[^\]]*\])(?: = (.*?))?(?: <- (\S+))?$/
const CONSTANT = /^(\S+): (\w+\[[^\]]*\])(?: = (.*))?$/

/** Takes the lines of one graph from the front of `lines`: its header at `indent`, all else further in. */
function readGraph(lines: string[], indent: number): Graph {
  const [, name = '', inputs = '', outputs = '', captures = ''] = matchOf(HEADER, lines.shift()?.trim() ?? '')
  const types = new Map<string, TensorType>()
  const typed = (list: string): string[] =>
    listOf(list).map((entry) => {
      const [value = '', type = '?'] = entry.split(': ')
      const known = typeFrom(type)
      if (known) types.set(value, known)
      return value
    })
  const ends = { inputs: typed(inputs), outputs: typed(outputs) }
  const constants = new Map<string, ConstantTensor>()
  const states = new Map<string, StateTensor>()
  const updates = new Map<string, string>()
  const nodes: Node[] = []
  while (lines[0] !== undefined && indentOf(lines[0]) > indent) {
    const line = (lines.shift() as string).trim()
    if (STATE.test(line)) {
      const [, value = '', type = '', elements, update] = matchOf(STATE, line)
      states.set(value, {
        type: typeFrom(type) as StateTensor['type'],
        ...(elements === undefined ? {} : { initial: constantFrom(type, elements) }),
      })
      if (update !== undefined) updates.set(value, update)
    } else if (CONSTANT.test(line)) {
      const [, value = '', type = '', elements] = matchOf(CONSTANT, line)
      constants.set(value, constantFrom(type, elements))
    } else nodes.push(readNode(line, lines, indent + 2))
  }
  for (const value of constants.keys()) types.delete(value)
  const changing = states.size > 0 ? { states, updates } : {}
  return { name, ...ends, nodes, constants, ...changing, types, captures: listOf(captures) }
}

function readNode(line: string, lines: string[], indent: number): Node {
  const [, outs = '', type = '', ins = '', braces = '', captured, comment] = matchOf(NODE, line)
  const outputs = listOf(outs).map(absent)
  const dot = type.lastIndexOf('.')
  const opType = type.slice(dot + 1)
  const attributes: Record<string, Attribute> = {}
  for (const entry of listOf(braces)) {
    const [name = '', value = ''] = entry.split('=')
    attributes[name] = attributeFrom(value)
  }
  while (lines[0] !== undefined && indentOf(lines[0]) > indent) {
    const inner = readGraph(lines, indent + 2)
    attributes[inner.name] = { kind: 'graph', value: inner }
  }
  return {
    name: comment ?? `${opType}_${outputs[0]}`,
    opType,
    domain: type.slice(0, Math.max(dot, 0)),
    inputs: listOf(ins).map(absent),
    outputs,
    attributes,
    ...(captured === undefined ? {} : { captures: listOf(captured) }),
  }
}

function attributeFrom(text: string): Attribute {
  if (text.startsWith('"')) return { kind: 'string', value: JSON.parse(text) as string }
  if (!text.startsWith('[')) {
    const value = Number(text)
    return { kind: Number.isInteger(value) && !text.includes('.') ? 'int' : 'float', value }
  }
  const list = listOf(text.slice(1, -1))
  if (text.startsWith('["')) return { kind: 'strings', value: list.map((s) => JSON.parse(s) as string) }
  const kind = list.some((word) => /[.e]/.test(word)) ? 'floats' : 'ints'
  return { kind, value: list.map(Number) }
}

function typeFrom(text: string): TensorType | undefined {
  if (text === '?') return undefined
  const [, dtype = '', dims = ''] = matchOf(/^(\w+)\[(.*)\]$/, text)
  if (!(dtype in DTYPES)) throw new Error(`Expected an element type, got "${dtype}"`)
  if (dims === '?') return { dtype: dtype as DType }
  const shape = listOf(dims).map((word): Dim => (/^\d+$/.test(word) ? Number(word) : symbol(word)))
  return { dtype: dtype as DType, shape }
}

function constantFrom(type: string, elements: string | undefined): ConstantTensor {
  const { dtype = 'float32', shape = [] } = typeFrom(type) ?? {}
  const dims = shape as readonly number[]
  const words = elements?.split(' ') ?? ['0']
  const repeats = words.at(-1) === '...' || elements === undefined
  const given = words.filter((word) => word !== '...')
  const count = elementCount(dims)
  if (!repeats && given.length !== count) throw new Error(`Expected ${count} elements, got "${elements}"`)
  if (dtype === 'string')
    return stringTensor(
      dims,
      given.map((word) => JSON.parse(word) as string),
    )
  const values = Array.from({ length: count }, (_, i) => Number(given[Math.min(i, given.length - 1)]))
  return tensorFromNumbers(dtype, dims, values)
}

/** Words between commas that are not in brackets. */
function listOf(text: string): string[] {
  return text === '' ? [] : text.split(/, (?![^[]*\])/)
}

const absent = (name: string): string => (name === '_' ? '' : name)

function matchOf(pattern: RegExp, line: string): RegExpExecArray {
  const match = pattern.exec(line)
  if (!match) throw new Error(`Expected ${pattern}, got "${line}"`)
  return match
}
