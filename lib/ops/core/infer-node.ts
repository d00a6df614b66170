/** What `OpDef.infer` is given: one node, and what is known of its inputs. */
import { OctavoError } from '../../errors.js'
import { type Dim, type Expr, product } from '../../graph/expr.js'
import type { ConstantTensor, Node, TensorType } from '../../graph/graph.js'
import { formatShape, needSizes } from './helpers.js'
import type { InferContext, Inferred } from './opdef.js'
import { holdsSizes, MAX_VALUES } from './values.js'

/** What the inference of a node asks of that of its graph; values by name. */
export interface InferenceScope {
  typeOf(name: string): TensorType | undefined
  constantOf(name: string): ConstantTensor | undefined
  /** Elements, where they are known or read while running. */
  valuesOf(name: string): readonly Dim[] | undefined
  /** Symbols for elements that are read when the value has been computed. */
  read(name: string, count: number): readonly Dim[]
  /** A symbol for a size that the node provides while running. */
  provide(value: string, axis: number): Expr
  /** Whether all symbols of a size are known. */
  defines(d: Dim): boolean
  /** Infers an owned graph. Outputs whose sizes use symbols of its own keep them: the operator replaces them. */
  inferNested(
    context: InferContext,
    node: Node,
    attribute: string,
    inputs: readonly TensorType[],
  ): readonly Inferred[]
}

export class NodeInference implements InferContext {
  constructor(
    private readonly graph: InferenceScope,
    readonly node: Node,
  ) {}

  get inputs(): number {
    return this.node.inputs.length
  }

  private name(i: number): string | undefined {
    return this.node.inputs[i] === '' ? undefined : this.node.inputs[i]
  }

  input(i: number): TensorType | undefined {
    const name = this.name(i)
    if (name === undefined) return undefined
    return this.graph.typeOf(name) ?? this.fail(`input ${i} ("${name}") to be defined before it is used`)
  }

  required(i: number): TensorType & { readonly shape: readonly Dim[] } {
    const type = this.input(i) ?? this.fail(`input ${i}, got none`)
    const shape = type.shape ?? needSizes(this, `input ${i} ("${this.name(i)}") to have a known rank`)
    return { dtype: type.dtype, shape }
  }

  constant(i: number): ConstantTensor | undefined {
    const name = this.name(i)
    return name === undefined ? undefined : this.graph.constantOf(name)
  }

  values(i: number): readonly Dim[] | undefined {
    const name = this.name(i)
    if (name === undefined) return undefined
    const known = this.graph.valuesOf(name)
    if (known) return known
    const type = this.graph.typeOf(name)
    return type && holdsSizes(type.dtype) && type.shape?.includes(0) ? [] : undefined
  }

  valuesOrRead(i: number): readonly Dim[] {
    const known = this.values(i)
    if (known) return known
    const { dtype, shape } = this.required(i)
    if (dtype !== 'int64' && dtype !== 'int32')
      this.fail(`input ${i} ("${this.name(i)}") of type int64 or int32, got ${dtype}`)
    const count = product(shape)
    if (typeof count !== 'number' || count > MAX_VALUES) {
      return needSizes(
        this,
        `input ${i} ("${this.name(i)}") to have a known number of elements (at most ${MAX_VALUES}), got ${formatShape(shape)}`,
        i,
      )
    }
    return this.graph.read(this.name(i) as string, count)
  }

  provided(i: number, axis: number): Expr {
    return this.graph.provide(this.node.outputs[i] || `${this.node.name}.${i}`, axis)
  }

  knows(d: Dim): boolean {
    return this.graph.defines(d)
  }

  subgraph(attribute: string, inputs: readonly TensorType[]): readonly Inferred[] {
    return this.graph.inferNested(this, this.node, attribute, inputs)
  }

  fail(expected: string): never {
    const { name, opType } = this.node
    throw new OctavoError('ERR_MODEL_INVALID', `${opType} node "${name}": expected ${expected}`, {
      node: name,
      opType,
    })
  }
}
