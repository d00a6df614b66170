/** What shows how the mean after a target's bounds answers to a shift before them. */
import type { ConstantTensor, Node } from '../../graph/graph.js'
import { scalar } from '../../graph/tensor.js'
import type { Probe } from '../layerwise/runner.js'
import { addNode } from '../layerwise/shift.js'
import type { BiasTarget } from './bias-target.js'

export interface BoundsProbe extends Probe {
  /** The value after the bounds, then the one with the step; without bounds the value alone. */
  readonly observed: readonly string[]
}

/** Nodes that apply the bounds of a target to its value, and to its value plus a step. */
export function probeOf({ value, bounds }: Pick<BiasTarget, 'value' | 'bounds'>, step: number): BoundsProbe {
  if (bounds.length === 0) return { nodes: [], constants: new Map(), observed: [value] }
  const [constant, stepped] = [`${value}:step`, `${value}:stepped`]
  const nodes: Node[] = [addNode(value, constant, stepped)]
  const observed = [value, stepped].map((source) =>
    bounds.reduce((input, bound, i) => {
      const output = `${source}:bounded${i}`
      nodes.push({ ...bound, name: output, inputs: [input, ...bound.inputs.slice(1)], outputs: [output] })
      return output
    }, source),
  )
  const constants = new Map<string, ConstantTensor>([[constant, scalar('float32', step)]])
  return { nodes, constants, observed }
}
