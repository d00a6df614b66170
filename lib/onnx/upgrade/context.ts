/** What an upgrade of one node may ask for and add. */
import type { DType } from '../../graph/dtype.js'
import type { ConstantTensor, Node, TensorType } from '../../graph/graph.js'

export interface UpgradeContext {
  /** A value name that nothing has, starting with the name of the node. */
  fresh(suffix: string): string
  /** Adds a constant; returns its name. */
  constant(suffix: string, tensor: ConstantTensor): string
  constantOf(value: string): ConstantTensor | undefined
  typeOf(value: string): TensorType | undefined
  /** False where some tensor of the model is a float of other than 32 bits: then the type of a value may not be guessed. */
  readonly onlyFloat32: boolean
  /** A further node made for the one that is upgraded. */
  node(
    opType: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes?: Node['attributes'],
  ): Node
  fail(message: string): never
}

/** The nodes that do in opset 21 what `node` does in the opset it was written for. */
export type Upgrade = (node: Node, context: UpgradeContext) => readonly Node[]

/** A scalar of the element type that `like` has, for what used to be a float attribute; with the nodes it takes. */
export function scalarLike(
  value: number,
  suffix: string,
  like: string,
  context: UpgradeContext,
  make: (dtype: DType, value: number) => ConstantTensor,
): { readonly name: string; readonly nodes: readonly Node[] } {
  const known = context.constantOf(like)?.dtype ?? context.typeOf(like)?.dtype
  if (known !== undefined || context.onlyFloat32) {
    return { name: context.constant(suffix, make(known ?? 'float32', value)), nodes: [] }
  }
  const constant = context.constant(suffix, make('float32', value))
  const name = context.fresh(`${suffix}_cast`)
  return { name, nodes: [context.node('CastLike', [constant, like], [name])] }
}

/** The node without some of its attributes. */
export function without(node: Node, ...names: string[]): Node {
  const attributes = Object.fromEntries(
    Object.entries(node.attributes).filter(([name]) => !names.includes(name)),
  )
  return { ...node, attributes }
}
