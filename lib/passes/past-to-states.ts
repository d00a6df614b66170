/**
 * The past of a language model, an input and an output of each layer, becomes a state that new keys and values are written into:
 *
 *     (p) -> (c); c = Concat(p, x)  =>  state p <- a; a = octavo.Append(p, x, length); c = Slice(a, 0, length + tokens)
 *
 * GroupQueryAttention takes the state as its past and the length. A model that makes c in another way gets p as a Slice. States are
 * float32, in which everything is computed, or of GroupQueryAttention int8 with a scale for each head of a position, and have room for
 * `limit` positions; what is filled is a new input, `PAST_LENGTH`.
 */
import { OctavoError } from '../errors.js'
import { type Dim, formatDim, substitute, symbolsOf } from '../graph/expr.js'
import {
  type ConstantTensor,
  type Graph,
  intAttribute,
  type Node,
  type StateTensor,
  type TensorType,
} from '../graph/graph.js'
import { int64s } from '../graph/tensor.js'

/** Input int64 [1]: how many positions of the states are filled before the run. */
export const PAST_LENGTH = 'octavo.past_length'
const TOTAL = 'octavo.total_length'

export interface PastPair {
  readonly past: string
  readonly present: string
}

export interface PastRoom {
  /** Positions. */
  readonly limit: number
  readonly type: 'float32' | 'int8'
}

/** `ids`: the input of [1, tokens] that says how many positions a run adds. */
export function pastToStates(graph: Graph, pairs: readonly PastPair[], ids: string, room: PastRoom): Graph {
  return new PastRewriter(graph, ids, room).rewrite(pairs)
}

const POSITIONS = 2

class PastRewriter {
  private readonly states = new Map<string, StateTensor>()
  private readonly updates = new Map<string, string>()
  private readonly constants = new Map<string, ConstantTensor>()
  private readonly makers = new Map<string, Node>()
  /** What stands in the place of a node. */
  private readonly replaced = new Map<Node, readonly Node[]>()
  private readonly added: Node[] = []

  constructor(
    private readonly graph: Graph,
    ids: string,
    private readonly room: PastRoom,
  ) {
    for (const node of graph.nodes) for (const output of node.outputs) this.makers.set(output, node)
    const tokens = `${TOTAL}:tokens`
    this.added.push(
      made('Shape', [ids], tokens, { start: int(1), end: int(2) }),
      made('Add', [PAST_LENGTH, tokens], TOTAL),
    )
  }

  rewrite(pairs: readonly PastPair[]): Graph {
    const { graph } = this
    const pasts = new Set(pairs.map((p) => p.past))
    const presents = new Set(pairs.map((p) => p.present))
    const types = this.withOneSequence(pairs)
    for (const pair of pairs) {
      const type = this.stateType(pair.past)
      this.states.set(pair.past, { type })
      types.set(pair.past, type)
      types.delete(pair.present)
    }
    for (const pair of pairs) this.pair(pair)
    types.set(PAST_LENGTH, { dtype: 'int64', shape: [1] })
    return {
      ...graph,
      inputs: [...graph.inputs.filter((name) => !pasts.has(name)), PAST_LENGTH],
      outputs: graph.outputs.filter((name) => !presents.has(name)),
      nodes: [...this.added, ...graph.nodes.flatMap((node) => this.replaced.get(node) ?? [node])],
      constants: new Map([...graph.constants, ...this.constants]),
      states: new Map([...(graph.states ?? []), ...this.states]),
      updates: new Map([...(graph.updates ?? []), ...this.updates]),
      types,
    }
  }

  /** States are of one sequence: so are all inputs. */
  private withOneSequence(pairs: readonly PastPair[]): Map<string, TensorType> {
    const batches = new Set<string>()
    for (const { past } of pairs) symbolsOf(this.graph.types.get(past)?.shape?.[0] ?? 1, batches)
    const one = (d: Dim) => substitute(d, (name) => (batches.has(name) ? 1 : undefined))
    const types = new Map(this.graph.types)
    for (const name of this.graph.inputs) {
      const type = types.get(name)
      if (type?.shape) types.set(name, { ...type, shape: type.shape.map(one) })
    }
    return types
  }

  private stateType(name: string): StateTensor['type'] {
    const type = this.graph.types.get(name)
    const [batch, heads, , size] = type?.shape ?? []
    const fits =
      type?.shape?.length === 4 && typeof heads === 'number' && typeof size === 'number' && isOne(batch)
    if (fits && isReal(type)) return { dtype: this.room.type, shape: [1, heads, this.room.limit, size] }
    const got = type ? `${type.dtype}[${type.shape?.map(formatDim).join(', ') ?? '?'}]` : 'no type'
    throw new OctavoError(
      'ERR_UNSUPPORTED_OP',
      `input '${name}': expected float [1, heads, positions, size] of a past that is to stay in the session, got ${got}.`,
      { tensor: name },
    )
  }

  private pair({ past, present }: PastPair): void {
    const maker = this.makers.get(present)
    if (maker && this.readsInPlace(maker, past, present)) this.inPlace(maker, past, present)
    else if (this.room.type === 'int8') throw notGroupQuery(past, maker)
    else if (maker && isConcat(maker, past)) this.concat(maker, past, present)
    else this.anyOther(past, present)
    this.others(past)
  }

  private readsInPlace(node: Node, past: string, present: string): boolean {
    if (node.domain !== 'com.microsoft' || node.opType !== 'GroupQueryAttention') return false
    const at = node.inputs.indexOf(past)
    return (at === 3 || at === 4) && node.outputs[at - 2] === present && !this.isRead(present)
  }

  private inPlace(node: Node, past: string, present: string): void {
    const [now = node] = this.replaced.get(node) ?? []
    const inputs = Array.from({ length: 16 }, (_, i) => now.inputs[i] ?? '')
    inputs.push(PAST_LENGTH, ...now.inputs.slice(17))
    const outputs = [...now.outputs]
    if (this.room.type === 'int8') this.scales(node, past, present, inputs, outputs)
    this.replaced.set(node, [{ ...now, inputs, outputs }])
    this.updates.set(past, present)
  }

  /** Inputs 17 and 18 of the node, outputs 4 and 5: scales of keys and of values. */
  private scales(node: Node, past: string, present: string, inputs: string[], outputs: string[]): void {
    const [state, next] = [`${past}:scales`, `${present}:scales`]
    const [, heads = 1, positions = 1] = this.states.get(past)?.type.shape ?? []
    const [to, from] = node.inputs.indexOf(past) === 3 ? [17, 4] : [18, 5]
    for (let i = inputs.length; i < to; ++i) inputs[i] = ''
    for (let i = outputs.length; i < from; ++i) outputs[i] = ''
    inputs[to] = state
    outputs[from] = next
    this.states.set(state, { type: { dtype: 'float32', shape: [1, heads, positions] } })
    this.updates.set(state, next)
  }

  private concat(node: Node, past: string, present: string): void {
    const next = `${past}:next`
    const added = made('Append', [past, node.inputs[1] as string, PAST_LENGTH], next, {}, 'octavo')
    this.replaced.set(node, [{ ...added, origin: [node.name] }, this.slice(next, '', TOTAL, present)])
    this.updates.set(past, next)
  }

  /** The positions that are new are cut out of what the model makes. */
  private anyOther(past: string, present: string): void {
    const [fresh, next] = [`${past}:fresh`, `${past}:next`]
    const nodes = [
      this.slice(present, PAST_LENGTH, TOTAL, fresh),
      made('Append', [past, fresh, PAST_LENGTH], next, {}, 'octavo'),
    ]
    const maker = this.makers.get(present)
    if (!maker)
      throw new OctavoError(
        'ERR_UNSUPPORTED_OP',
        `output '${present}': expected a node that makes it, got none.`,
        {
          tensor: present,
        },
      )
    this.replaced.set(maker, [...(this.replaced.get(maker) ?? [maker]), ...nodes])
    this.updates.set(past, next)
  }

  /** All else that reads the past reads what is filled of it. */
  private others(past: string): void {
    const filled = `${past}:filled`
    let found = false
    for (const node of this.graph.nodes) {
      const now = this.replaced.get(node) ?? [node]
      const reads = (n: Node) =>
        n.domain === 'octavo' || n.inputs[16] === PAST_LENGTH
          ? false
          : n.inputs.includes(past) || n.captures?.includes(past) === true
      if (!now.some(reads)) continue
      found = true
      const use = (name: string) => (name === past ? filled : name)
      this.replaced.set(
        node,
        now.map((n) => (reads(n) ? { ...n, inputs: n.inputs.map(use), captures: n.captures?.map(use) } : n)),
      )
    }
    if (found) this.added.push(this.slice(past, '', PAST_LENGTH, filled))
  }

  private slice(x: string, start: string, end: string, y: string): Node {
    return made('Slice', [x, start || this.constant(0), end, this.constant(POSITIONS)], y)
  }

  private constant(value: number): string {
    const name = `octavo.past:${value}`
    this.constants.set(name, int64s([value]))
    return name
  }

  private isRead(value: string): boolean {
    return this.graph.nodes.some((n) => n.inputs.includes(value) || n.captures?.includes(value) === true)
  }
}

const isOne = (size: Dim | undefined) => size === 1 || (size !== undefined && typeof size !== 'number')
const isReal = ({ dtype }: TensorType) => dtype === 'float32' || dtype === 'float16' || dtype === 'bfloat16'

const notGroupQuery = (tensor: string, maker: Node | undefined) =>
  new OctavoError(
    'ERR_UNSUPPORTED_OP',
    `input '${tensor}': expected the past of a GroupQueryAttention, which can keep it as int8 (option pastType), got that of ${maker ? `${maker.opType} (node "${maker.name}")` : 'no node'}.`,
    { tensor },
  )

function isConcat(node: Node, past: string): boolean {
  const axis = intAttribute(node, 'axis')
  const along = axis === POSITIONS || axis === POSITIONS - 4
  return node.opType === 'Concat' && along && node.inputs.length === 2 && node.inputs[0] === past
}

const int = (value: number) => ({ kind: 'int', value }) as const

function made(
  opType: string,
  inputs: readonly string[],
  output: string,
  attributes: Node['attributes'] = {},
  domain = '',
): Node {
  return { name: output, opType, domain, inputs, outputs: [output], attributes }
}
