/** A shift on its way to values that were computed before it was known: later nodes read `value + shift`. */
import type { ConstantTensor, Node } from '../../graph/graph.js'

export interface Shift {
  readonly value: string
  /** What is added: it broadcasts to the value. */
  readonly tensor: ConstantTensor
}

/** Nodes with the shifts of what they read; `constants` are those of the shifts that are used. */
export interface Shifted {
  readonly nodes: readonly Node[]
  readonly constants: ReadonlyMap<string, ConstantTensor>
}

/** `inputs`: the values that the nodes read and do not make. */
export function withShifts(
  nodes: readonly Node[],
  inputs: readonly string[],
  shifts: readonly Shift[],
): Shifted {
  const constants = new Map<string, ConstantTensor>()
  let shifted = nodes
  for (const { value, tensor } of shifts) {
    if (!inputs.includes(value)) continue
    const [constant, sum] = [`${value}:shift`, `${value}:shifted`]
    constants.set(constant, tensor)
    const rename = (name: string) => (name === value ? sum : name)
    const readers = shifted.map((node) => ({
      ...node,
      inputs: node.inputs.map(rename),
      ...(node.captures ? { captures: node.captures.map(rename) } : {}),
    }))
    shifted = [addNode(value, constant, sum), ...readers]
  }
  return { nodes: shifted, constants }
}

/** sum = a + b; the node has the name of the sum. */
export function addNode(a: string, b: string, sum: string): Node {
  return { name: sum, opType: 'Add', domain: '', inputs: [a, b], outputs: [sum], attributes: {} }
}
