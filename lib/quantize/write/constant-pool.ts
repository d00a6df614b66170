/** The constants of a graph that is being written: new ones get free names, equal ones are stored once. */
import type { ConstantTensor } from '../../graph/graph.js'
import type { Names } from '../../graph/names.js'

/** A constant by the name that it would like. */
export type NamedConstant = readonly [base: string, tensor: ConstantTensor]

export class ConstantPool {
  private readonly constants: Map<string, ConstantTensor>
  /** Constants that were added together, by the name that the first of them asked for. */
  private readonly groups = new Map<string, Group[]>()

  constructor(
    constants: ReadonlyMap<string, ConstantTensor>,
    private readonly names: Names,
  ) {
    this.constants = new Map(constants)
  }

  /** Adds a constant under `base` or a name like it; returns the name. */
  add(base: string, tensor: ConstantTensor): string {
    const name = this.names.fresh(base)
    this.constants.set(name, tensor)
    return name
  }

  /** Adds constants that belong together, or finds them if the same were asked for under the same names before. */
  share(...wanted: readonly NamedConstant[]): readonly string[] {
    const [first = ''] = wanted[0] ?? []
    const groups = this.groups.get(first) ?? []
    this.groups.set(first, groups)
    const tensors = wanted.map(([, tensor]) => tensor)
    const found = groups.find((group) => sameTensors(group.tensors, tensors))
    if (found) return found.names
    const names = wanted.map(([base, tensor]) => this.add(base, tensor))
    groups.push({ tensors, names })
    return names
  }

  /** Those that are read, in the order in which they were added. */
  used(reads: ReadonlySet<string>): ReadonlyMap<string, ConstantTensor> {
    return new Map([...this.constants].filter(([name]) => reads.has(name)))
  }
}

interface Group {
  readonly tensors: readonly ConstantTensor[]
  readonly names: readonly string[]
}

function sameTensors(a: readonly ConstantTensor[], b: readonly ConstantTensor[]): boolean {
  return a.length === b.length && a.every((tensor, i) => sameTensor(tensor, b[i] as ConstantTensor))
}

function sameTensor(a: ConstantTensor, b: ConstantTensor): boolean {
  return (
    a.dtype === b.dtype &&
    a.dims.length === b.dims.length &&
    a.dims.every((d, axis) => d === b.dims[axis]) &&
    Buffer.compare(a.data, b.data) === 0
  )
}
