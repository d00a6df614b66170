/** The wire format of Protocol Buffers, read without copies (https://protobuf.dev/programming-guides/encoding). */

export const VARINT = 0
export const FIXED64 = 1
export const BYTES = 2
const GROUP = 3
const GROUP_END = 4
export const FIXED32 = 5

/** Of a varint, which has 7 of 64 bits to a byte. */
const MOST_BYTES = 10
const DEEPEST_GROUP = 100

export class WireReader {
  readonly #bytes: Uint8Array
  readonly #text: Buffer
  readonly #view: DataView
  #at = 0
  #end: number
  /** Of the field that `next` found. */
  field = 0
  wire = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#end = bytes.byteLength
  }

  /** Goes to the next field of the message; false at its end. */
  next(): boolean {
    if (this.#at >= this.#end) return false
    const tag = this.#varint32()
    this.field = tag >>> 3
    this.wire = tag & 7
    if (this.field === 0) throw new Error(`a field has the number 0 (byte ${this.#at})`)
    return true
  }

  /** Reads the message that is the value of the field. */
  message<T>(decode: (r: WireReader, into: T) => void, into: T): void {
    const end = this.#length()
    const outer = this.#end
    this.#end = end
    decode(this, into)
    this.#end = outer
  }

  /** Whether the field has this wire type; skips it where it has not. */
  is(wire: number): boolean {
    if (this.wire === wire) return true
    this.skip()
    return false
  }

  bytes(): Uint8Array {
    const end = this.#length()
    const value = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return value
  }

  text(): string {
    const end = this.#length()
    const value = this.#text.toString('utf8', this.#at, end)
    this.#at = end
    return value
  }

  int32(): number {
    return this.#varint32() | 0
  }

  int64(): bigint {
    return BigInt.asIntN(64, this.uint64())
  }

  uint64(): bigint {
    let low = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte()
      low |= (byte & 127) << shift
      if (byte < 128) return BigInt(low)
    }
    let value = BigInt(low)
    for (let i = 4; i < MOST_BYTES; i++) {
      const byte = this.#byte()
      value |= BigInt(byte & 127) << BigInt(7 * i)
      if (byte < 128) return BigInt.asUintN(64, value)
    }
    throw new Error(`a number has more than ${MOST_BYTES} bytes (byte ${this.#at})`)
  }

  float(): number {
    return this.#view.getFloat32(this.#take(4), true)
  }

  double(): number {
    return this.#view.getFloat64(this.#take(8), true)
  }

  /** Adds the value of a repeated field of numbers: one, or many packed together. Skips other wire types. */
  numbers<T>(into: T[], wire: number, read: (r: WireReader) => T): void {
    if (this.wire === wire) into.push(read(this))
    else if (!this.is(BYTES)) return
    else {
      const end = this.#length()
      const outer = this.#end
      this.#end = end
      while (this.#at < end) into.push(read(this))
      this.#end = outer
    }
  }

  skip(depth = 0): void {
    switch (this.wire) {
      case VARINT:
        this.uint64()
        return
      case FIXED64:
        this.#take(8)
        return
      case BYTES:
        this.#at = this.#length()
        return
      case FIXED32:
        this.#take(4)
        return
      case GROUP:
        this.#skipGroup(depth)
        return
      default:
        throw new Error(`field ${this.field} has the wire type ${this.wire} (byte ${this.#at})`)
    }
  }

  #skipGroup(depth: number): void {
    const group = this.field
    if (depth >= DEEPEST_GROUP) throw new Error('groups are nested too deep')
    while (this.next()) {
      if (this.wire === GROUP_END && this.field === group) return
      this.skip(depth + 1)
    }
    throw new Error(`a group does not end (byte ${this.#at})`)
  }

  #byte(): number {
    if (this.#at >= this.#end) throw new Error(`it ends early (byte ${this.#at})`)
    return this.#bytes[this.#at++] as number
  }

  /** The low 32 bits of a varint. */
  #varint32(): number {
    const first = this.#byte()
    if (first < 128) return first
    let value = first & 127
    for (let i = 1; i < MOST_BYTES; i++) {
      const byte = this.#byte()
      if (i < 5) value |= (byte & 127) << (7 * i)
      if (byte < 128) return value >>> 0
    }
    throw new Error(`a number has more than ${MOST_BYTES} bytes (byte ${this.#at})`)
  }

  #take(count: number): number {
    const at = this.#at
    if (count > this.#end - at) throw new Error(`it ends early (byte ${at})`)
    this.#at = at + count
    return at
  }

  /** Where the bytes of a field end that start here, after their length. */
  #length(): number {
    let length = 0
    for (let i = 0; ; i++) {
      const byte = this.#byte()
      length += (byte & 127) * 128 ** i
      if (byte < 128) break
      if (i === MOST_BYTES - 1)
        throw new Error(`a length has more than ${MOST_BYTES} bytes (byte ${this.#at})`)
    }
    const end = this.#at + length
    if (end > this.#end)
      throw new Error(`a field of ${length} bytes ends beyond its message (byte ${this.#at})`)
    return end
  }
}
