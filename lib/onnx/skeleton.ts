/**
 * A model file without its large tensors: the message as it would be if their raw_data were absent, and where that is in
 * the file. What stays is a few kilobytes per hundred nodes, however large the weights are.
 */
import type { Pace } from '../event-loop.js'
import type { FileRange } from '../graph/graph.js'
import { Bytes, FileWindow, LARGE } from './file-window.js'
import { BYTES, FIXED32, FIXED64, VARINT } from './wire-reader.js'

export interface Skeleton {
  readonly bytes: Uint8Array
  /** By initializer of the main graph; undefined where its data is in `bytes`. */
  readonly ranges: readonly (FileRange | undefined)[]
}

/** Undefined where the file is no sequence of fields: then it is read whole, and the decoder says what is wrong. */
export async function readSkeleton(fd: number, size: number, pace: Pace): Promise<Skeleton | undefined> {
  const scanner = new Scanner(fd, pace)
  const out = new Bytes()
  if (!(await scanner.model(out, size))) return undefined
  return { bytes: out.taken(), ranges: scanner.ranges }
}

/** Field numbers of onnx.proto. */
const FIELD = { modelGraph: 7, graphInitializer: 5, tensorRawData: 9 } as const

/** A tag and a length are at most this long. */
const HEAD = 20

class Scanner {
  readonly ranges: (FileRange | undefined)[] = []
  readonly #window: FileWindow

  constructor(
    readonly fd: number,
    readonly pace: Pace,
  ) {
    this.#window = new FileWindow(fd)
  }

  async model(out: Bytes, size: number): Promise<boolean> {
    for (let at = 0; at < size; ) {
      const field = this.#field(at, size)
      if (!field) return false
      if (field.number !== FIELD.modelGraph || field.wire !== BYTES) this.#window.copy(out, at, field.end)
      else {
        const inner = new Bytes()
        if (!(await this.#graph(inner, field.start, field.end))) return false
        out.field(field.number, inner.taken())
      }
      at = field.end
    }
    return true
  }

  async #graph(out: Bytes, at: number, end: number): Promise<boolean> {
    while (at < end) {
      if (this.pace.due) await this.pace.pause()
      const field = this.#field(at, end)
      if (!field) return false
      if (field.number !== FIELD.graphInitializer || field.wire !== BYTES) {
        this.#window.copy(out, at, field.end)
      } else {
        this.ranges.push(undefined)
        if (field.end - at < LARGE) this.#window.copy(out, at, field.end)
        else {
          const inner = new Bytes()
          if (!this.#tensor(inner, field.start, field.end)) return false
          out.field(field.number, inner.taken())
        }
      }
      at = field.end
    }
    return true
  }

  #tensor(out: Bytes, at: number, end: number): boolean {
    while (at < end) {
      const field = this.#field(at, end)
      if (!field) return false
      const data = field.number === FIELD.tensorRawData && field.wire === BYTES
      const length = field.end - field.start
      const left = data && length >= LARGE
      if (data)
        this.ranges[this.ranges.length - 1] = left ? { fd: this.fd, offset: field.start, length } : undefined
      if (!left) this.#window.copy(out, at, field.end)
      at = field.end
    }
    return true
  }

  /** The field at a place in the file, if it ends before `end`. */
  #field(at: number, end: number): Field | undefined {
    const field = parseField(this.#window.read(at, Math.min(HEAD, end - at)), at)
    return field && field.end <= end ? field : undefined
  }
}

interface Field {
  readonly number: number
  readonly wire: number
  /** Where its value is in the file. */
  readonly start: number
  readonly end: number
}

/** The field whose first bytes are `bytes`, at `at` in the file. */
function parseField(bytes: Uint8Array, at: number): Field | undefined {
  const tag = parseVarint(bytes, 0)
  if (tag === undefined || tag.value < 8) return undefined
  const wire = tag.value % 8
  const number = Math.floor(tag.value / 8)
  const start = at + tag.end
  if (wire === FIXED32) return { number, wire, start, end: start + 4 }
  if (wire === FIXED64) return { number, wire, start, end: start + 8 }
  const next = wire === VARINT || wire === BYTES ? parseVarint(bytes, tag.end) : undefined
  if (next === undefined) return undefined
  if (wire === VARINT) return { number, wire, start, end: at + next.end }
  return { number, wire, start: at + next.end, end: at + next.end + next.value }
}

function parseVarint(
  bytes: Uint8Array,
  at: number,
): { readonly value: number; readonly end: number } | undefined {
  let value = 0
  for (let i = 0; i < 10; i++) {
    const byte = bytes[at + i]
    if (byte === undefined) return undefined
    value += (byte & 127) * 128 ** i
    if (byte < 128) return { value, end: at + i + 1 }
  }
  return undefined
}
