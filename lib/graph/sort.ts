/** Topological order of the nodes of a graph. */
import { OctavoError } from '../errors.js'
import { type Node, usesOf } from './graph.js'

/**
 * Sorts nodes so that each comes after the producers of what it reads; keeps an order that is sorted already.
 * Depth first in the given order, without recursion: linear in nodes and uses. Names that no node produces count as given.
 */
export function topologicalOrder(nodes: readonly Node[]): readonly Node[] {
  if (isSorted(nodes)) return nodes
  const producers = new Map<string, number>()
  nodes.forEach((node, i) => {
    for (const name of node.outputs) if (name !== '') producers.set(name, i)
  })
  const uses = nodes.map((node) => usesOf(node))
  const state = new Uint8Array(nodes.length)
  const cursor = new Uint32Array(nodes.length)
  const sorted: Node[] = []
  const stack: number[] = []
  for (let root = 0; root < nodes.length; root++) {
    if (state[root] !== UNSEEN) continue
    stack.push(root)
    state[root] = OPEN
    while (stack.length > 0) {
      const current = stack[stack.length - 1] as number
      const name = uses[current]?.[cursor[current] as number]
      if (name === undefined) {
        state[current] = DONE
        sorted.push(nodes[current] as Node)
        stack.pop()
        continue
      }
      cursor[current] = (cursor[current] as number) + 1
      const producer = producers.get(name)
      if (producer === undefined || state[producer] === DONE) continue
      if (state[producer] === OPEN) throw cycle(nodes, stack, producer, name)
      state[producer] = OPEN
      stack.push(producer)
    }
  }
  return sorted
}

const UNSEEN = 0
const OPEN = 1
const DONE = 2

function isSorted(nodes: readonly Node[]): boolean {
  const pending = new Set<string>()
  for (const node of nodes) for (const name of node.outputs) if (name !== '') pending.add(name)
  for (const node of nodes) {
    for (const name of usesOf(node)) if (pending.has(name)) return false
    for (const name of node.outputs) pending.delete(name)
  }
  return true
}

function cycle(nodes: readonly Node[], stack: readonly number[], start: number, value: string): OctavoError {
  const names = stack.slice(stack.indexOf(start)).map((i) => `"${nodes[i]?.name}"`)
  const shown = names.length > 8 ? [...names.slice(0, 4), '...', ...names.slice(-3)] : names
  const node = nodes[stack[stack.length - 1] as number]
  return new OctavoError(
    'ERR_MODEL_INVALID',
    `The graph has a cycle: node "${node?.name}" (${node?.opType}) reads "${value}", which depends on its own outputs (nodes ${shown.join(', ')})`,
    { node: node?.name, opType: node?.opType, tensor: value },
  )
}
