/**
 * Named tensors that outlive runs: trained weights, running statistics, caches of keys and values. Engines that are compiled
 * over one store share the states of the same name, which must be of one type and size.
 */
import { rangeError } from '../../errors.js'
import { DTYPES, type DType, dtypeFromOnnx } from '../../graph/dtype.js'
import type { NativeOutputs, NativeStates } from '../../native/binding.js'
import { binding } from '../../native/load.js'

/** Dense bytes, little endian. */
export interface StateValue {
  readonly dtype: DType
  readonly dims: readonly number[]
  readonly data: Uint8Array
}

export class StateStore {
  /** Without `native`: an empty store, which engines fill with the first values of their states. */
  constructor(readonly native: NativeStates = binding().states()) {}

  /** Of all states, sorted. */
  get names(): readonly string[] {
    return this.native.names()
  }

  get bytes(): number {
    return this.native.bytes()
  }

  /** A copy of the bytes of a state. A name that is not there is an ERR_OUT_OF_RANGE. */
  bytesOf(name: string): ArrayBuffer {
    this.expect([name])
    return this.native.read([name])[0] as ArrayBuffer
  }

  /** Copies of these states (default: all) as they are between two runs. A name that is not there is an ERR_OUT_OF_RANGE. */
  read(names: readonly string[] = this.names): Record<string, StateValue> {
    this.expect(names)
    const values = valuesOf(this.native.read(names))
    return Object.fromEntries(names.map((name, i) => [name, values[i] as StateValue]))
  }

  /**
   * Sets several states at once: a run sees all of the new values or none. Nothing is written where one of them is not there
   * (ERR_OUT_OF_RANGE) or of another type or size (ERR_SHAPE_MISMATCH).
   */
  write(values: Readonly<Record<string, StateValue>>): void {
    const names = Object.keys(values)
    this.expect(names)
    const types: number[] = []
    const data = names.map((name) => {
      const { dtype, dims, data } = values[name] as StateValue
      types.push(DTYPES[dtype].onnx, dims.length, ...dims)
      return data
    })
    this.native.write(names, data, new Float64Array(types))
  }

  /** A store with copies of all states. */
  copy(): StateStore {
    return new StateStore(this.native.copy())
  }

  private expect(names: readonly string[]): void {
    const there = new Set(this.names)
    const unknown = names.find((name) => !there.has(name))
    if (unknown === undefined) return
    const known = there.size === 0 ? 'has none' : `has ${[...there].join(', ')}`
    throw rangeError(`there is no state '${unknown}': the store ${known}`)
  }
}

function valuesOf(results: NativeOutputs): StateValue[] {
  const values: StateValue[] = []
  for (let at = 0; at < results.length; ) {
    const end = at + 3 + (results[at + 2] as number)
    values.push({
      dtype: dtypeFromOnnx(results[at + 1] as number) as DType,
      dims: results.slice(at + 3, end) as number[],
      data: new Uint8Array(results[at] as ArrayBuffer),
    })
    at = end
  }
  return values
}
