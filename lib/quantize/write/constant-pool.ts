/** The constants of a graph that is being written: new ones get free names, equal ones are stored once. */
import type { ConstantTensor } from '../../graph/graph.js'
import type { Names } from '../../graph/names.js'

/** Bytes of a tensor that tell most tensors of its type and sizes apart. */
const TELLING = 256

export class ConstantPool {
  private readonly constants: Map<string, ConstantTensor>
  /** The names of those that may be shared, by what tells most of them apart. */
  private readonly shared = new Map<string, string[]>()

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

  /** The name of an equal constant that was asked for before, by whatever name; otherwise adds it. */
  share(base: string, tensor: ConstantTensor): string {
    const { dtype, dims, data } = tensor
    const head = Buffer.from(data.buffer, data.byteOffset, Math.min(data.length, TELLING)).toString('latin1')
    const key = `${dtype}|${dims.join()}|${head}`
    const alike = this.shared.get(key) ?? []
    this.shared.set(key, alike)
    const found = alike.find(
      (name) => Buffer.compare((this.constants.get(name) as ConstantTensor).data, data) === 0,
    )
    if (found !== undefined) return found
    const name = this.add(base, tensor)
    alike.push(name)
    return name
  }

  /** Those that are read, in the order in which they were added. */
  used(reads: ReadonlySet<string>): ReadonlyMap<string, ConstantTensor> {
    return new Map([...this.constants].filter(([name]) => reads.has(name)))
  }
}
