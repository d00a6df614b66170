/** Reading a file in pieces. */
import { fs } from '../builtins.js'
import { BYTES } from './wire-reader.js'

/** Tensors of fewer bytes are read with what is around them. */
export const LARGE = 1 << 16

/** Keeps what it read last. Reads are synchronous: a read of a cached file takes microseconds, a promise takes more. */
export class FileWindow {
  readonly #buffer = new Uint8Array(1 << 16)
  #start = 0
  #end = 0

  constructor(readonly fd: number) {}

  /** `count` bytes from `at` or more, fewer only where the file ends; valid until the next call. */
  read(at: number, count: number): Uint8Array {
    if (at < this.#start || at + count > this.#end) {
      this.#start = at
      this.#end = at + readFully(this.fd, this.#buffer, at)
    }
    return this.#buffer.subarray(at - this.#start, this.#end - this.#start)
  }

  /** Adds bytes [at, end), as far as the file has them. */
  copy(out: Bytes, at: number, end: number): void {
    while (at < end) {
      const piece = this.read(at, 1).subarray(0, end - at)
      if (piece.length === 0) return
      out.add(piece)
      at += piece.length
    }
  }
}

/** Reads until the bytes are full or the file ends; answers how many there are. */
export function readFully(fd: number, bytes: Uint8Array, offset: number): number {
  let done = 0
  while (done < bytes.length) {
    const count = fs.readSync(fd, bytes, done, Math.min(bytes.length - done, 1 << 26), offset + done)
    if (count === 0) break
    done += count
  }
  return done
}

/** Bytes that grow. */
export class Bytes {
  #bytes = new Uint8Array(1 << 12)
  #length = 0

  add(bytes: Uint8Array): void {
    const length = this.#length + bytes.length
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#bytes.length))
      larger.set(this.taken())
      this.#bytes = larger
    }
    this.#bytes.set(bytes, this.#length)
    this.#length = length
  }

  /** A field of bytes: tag, length, content. */
  field(number: number, content: Uint8Array): void {
    this.add(Uint8Array.from([...varint(number * 8 + BYTES), ...varint(content.length)]))
    this.add(content)
  }

  taken(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }
}

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return [...bytes, rest]
}
