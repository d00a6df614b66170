/** Zip archives (APPNOTE 6.3): read stored or deflated, written stored, without dates. Up to 4 GiB: no zip64. */
import { crc32, inflateRawSync } from 'node:zlib'
import { OctavoError } from '../errors.js'

const LOCAL = 0x04034b50
const CENTRAL = 0x02014b50
const END = 0x06054b50

/** Entries of a zip archive (APPNOTE 6.3: central directory; methods stored and deflated). */
export function unzip(bytes: Buffer, where: string): Map<string, Uint8Array> {
  const bad = () => new OctavoError('ERR_CALIBRATION_DATA', `${where}: expected a .npz file (a zip archive).`)
  let end = bytes.length - 22
  while (end >= 0 && bytes.readUInt32LE(end) !== END) --end
  if (end < 0) throw bad()
  const entries = new Map<string, Uint8Array>()
  let at = bytes.readUInt32LE(end + 16)
  for (let i = bytes.readUInt16LE(end + 10); i > 0; --i) {
    if (at + 46 > bytes.length || bytes.readUInt32LE(at) !== CENTRAL) throw bad()
    const [method, packed] = [bytes.readUInt16LE(at + 10), bytes.readUInt32LE(at + 20)]
    const [nameLength, extra, comment] = [28, 30, 32].map((o) => bytes.readUInt16LE(at + o)) as [
      number,
      number,
      number,
    ]
    const local = bytes.readUInt32LE(at + 42)
    const name = bytes.toString('utf8', at + 46, at + 46 + nameLength)
    if (local + 30 > bytes.length) throw bad()
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28)
    const body = bytes.subarray(start, start + packed)
    if (body.length !== packed || (method !== 0 && method !== 8)) throw bad()
    entries.set(name, method === 0 ? body : inflate(body, bytes.readUInt32LE(at + 24), bad))
    at += 46 + nameLength + extra + comment
  }
  return entries
}

/** Inflates to the size that the archive states, and no further. */
function inflate(body: Uint8Array, size: number, bad: () => OctavoError): Uint8Array {
  try {
    const whole = inflateRawSync(body, { maxOutputLength: Math.max(size, 1) })
    if (whole.length === size) return whole
  } catch {
    // Damaged, or larger than stated.
  }
  throw bad()
}

/** Version 2.0; bit 11: names are UTF-8. */
const VERSION = 20
const UTF8 = 1 << 11
/** 1980-01-01, the first day that a zip archive knows. */
const DATE = 0x0021
const MOST = 0xffff_ffff

export function zip(entries: readonly (readonly [name: string, bytes: Uint8Array])[]): Uint8Array {
  const parts: Uint8Array[] = []
  const directory: Uint8Array[] = []
  let at = 0
  for (const [name, bytes] of entries) {
    const path = Buffer.from(name)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(VERSION, 0)
    common.writeUInt16LE(UTF8, 2)
    common.writeUInt16LE(DATE, 8)
    common.writeUInt32LE(crc32(bytes), 10)
    common.writeUInt32LE(bytes.length, 14)
    common.writeUInt32LE(bytes.length, 18)
    common.writeUInt16LE(path.length, 22)
    const local = Buffer.concat([word(LOCAL), common, path])
    const central = Buffer.alloc(14)
    central.writeUInt32LE(at, 10)
    directory.push(word(CENTRAL), Buffer.from([VERSION, 0]), common, central, path)
    parts.push(local, bytes)
    at += local.length + bytes.length
    if (at > MOST || entries.length > 0xffff)
      throw new OctavoError(
        'ERR_LIMIT',
        `A zip archive of more than ${MOST} bytes or 65535 files is not supported.`,
      )
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(entries.length, 4)
  end.writeUInt16LE(entries.length, 6)
  end.writeUInt32LE(size, 8)
  end.writeUInt32LE(at, 12)
  return Buffer.concat([...parts, ...directory, word(END), end])
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
