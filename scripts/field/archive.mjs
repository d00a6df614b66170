// Files of an archive as registries give them: .whl is a zip, .tgz and .tar.gz a gzipped tar (POSIX ustar with pax and GNU names).
import { gunzipSync } from 'node:zlib'
import { unzip } from '../../dist/data/zip.js'

/** Map of name to bytes, of those entries whose name `keep` matches; a name that leaves the folder is an error. */
export function entriesOf(bytes, name, keep) {
  const all = /\.(whl|zip)$/.test(name) ? unzip(bytes, name) : untar(gunzipSync(bytes), name)
  const kept = new Map([...all].filter(([entry]) => keep.test(entry)))
  for (const entry of kept.keys())
    if (entry.startsWith('/') || entry.split(/[\\/]/).includes('..'))
      throw new Error(`${name}: the entry '${entry}' is outside of the archive's folder`)
  return kept
}

const BLOCK = 512

function untar(bytes, where) {
  const entries = new Map()
  let longName
  for (let at = 0; at + BLOCK <= bytes.length; ) {
    const text = (from, length) => bytes.toString('utf8', at + from, at + from + length).replace(/\0.*$/s, '')
    if (bytes[at] === 0) break
    const size = Number.parseInt(text(124, 12).trim(), 8)
    const type = String.fromCharCode(bytes[at + 156])
    const body = bytes.subarray(at + BLOCK, at + BLOCK + size)
    if (!(size >= 0) || body.length !== size) throw new Error(`${where}: the archive is damaged`)
    if (type === 'x') longName = /\d+ path=([^\n]*)\n/.exec(body.toString('utf8'))?.[1]
    else if (type === 'L') longName = body.toString('utf8').replace(/\0.*$/s, '')
    else {
      const prefix = text(257, 5) === 'ustar' ? text(345, 155) : ''
      const name = longName ?? (prefix ? `${prefix}/${text(0, 100)}` : text(0, 100))
      if (type === '0' || type === '\0') entries.set(name, body)
      longName = undefined
    }
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK
  }
  return entries
}
