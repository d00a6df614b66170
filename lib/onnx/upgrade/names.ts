/** Names for what upgrades add to a graph, and errors that name the node they upgrade. */
import { OctavoError } from '../../errors.js'
import type { Node } from '../../graph/graph.js'
import type { Names } from '../../graph/names.js'
import type { GraphBuilder } from '../scope.js'
import type { UpgradeContext } from './context.js'

export class UpgradeNames {
  constructor(
    private readonly nodes: Names,
    private readonly values: Names,
    private readonly onlyFloat32: boolean,
  ) {}

  /** What the upgrade of a node of `graph` may ask for. */
  context(node: Node, graph: GraphBuilder): UpgradeContext {
    const fresh = (suffix: string) => {
      const value = this.values.fresh(`${node.name}/${suffix}`)
      graph.define(value)
      return value
    }
    return {
      onlyFloat32: this.onlyFloat32,
      fresh,
      constant: (suffix, tensor) => {
        const value = fresh(suffix)
        graph.constants.set(value, tensor)
        return value
      },
      constantOf: (value) => graph.constants.get(value),
      typeOf: (value) => graph.types.get(value),
      node: (opType, inputs, outputs, attributes = {}) => ({
        name: this.nodes.fresh(`${node.name}/${opType}`),
        opType,
        domain: '',
        inputs,
        outputs,
        attributes,
        origin: [node.name],
      }),
      fail: (message) => {
        throw new OctavoError('ERR_UNSUPPORTED_OP', `Node "${node.name}" (${node.opType}): ${message}`, {
          node: node.name,
          opType: node.opType,
        })
      },
    }
  }
}
