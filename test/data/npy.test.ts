import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { formatNpy, parseNpy, readNpz } from '../../lib/data/npy.js'
import { Tensor } from '../../lib/session/tensor.js'

const tensors = [
  new Tensor('float32', Float32Array.of(1, -2.5, 3, 4, 5, 6), [2, 3]),
  new Tensor('int64', BigInt64Array.of(-1n, 2n ** 60n), [2]),
  new Tensor('uint8', Uint8Array.of(7), []),
  new Tensor('int8', new Int8Array(0), [0, 4]),
]

test.each(tensors.map((t) => [t.type, t] as const))('%s survives .npy', (_, tensor) => {
  const again = parseNpy(formatNpy(tensor), 'here')
  expect([again.type, again.dims]).toEqual([tensor.type, tensor.dims])
  expect(again.data).toEqual(tensor.data)
})

test('errors of .npy files name the place', () => {
  const good = formatNpy(tensors[0] as Tensor)
  expect(() => parseNpy(good.subarray(0, 5), 'a.npy')).toThrow('a.npy: expected a .npy file.')
  expect(() => parseNpy(good.subarray(0, good.length - 4), 'a.npy')).toThrow(
    'expected 24 bytes for float32 of [2, 3], got 20',
  )
  const text = Buffer.from(good).toString('latin1')
  const changed = (from: string, to: string) => Buffer.from(text.replace(from, to), 'latin1')
  expect(() => parseNpy(changed('<f4', '>f4'), 'a.npy')).toThrow('little-endian')
  expect(() => parseNpy(changed('<f4', '<c8'), 'a.npy')).toThrow("got 'c8'")
  expect(() => parseNpy(changed('False', 'True '), 'a.npy')).toThrow('C order')
})

/** A zip archive of one entry, as numpy writes it. */
function zip(name: string, body: Uint8Array, deflate: boolean): Buffer {
  const packed = deflate ? deflateRawSync(body) : Buffer.from(body)
  const fields = Buffer.alloc(26)
  fields.writeUInt16LE(20, 0)
  fields.writeUInt16LE(deflate ? 8 : 0, 4)
  fields.writeUInt32LE(packed.length, 14)
  fields.writeUInt32LE(body.length, 18)
  fields.writeUInt16LE(name.length, 22)
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), packed])
  const central = Buffer.concat([
    Buffer.from('PK\x01\x02'),
    Buffer.from([20, 0]),
    fields,
    Buffer.alloc(14),
    Buffer.from(name),
  ])
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(local.length, 16)
  return Buffer.concat([local, central, end])
}

test.each([false, true])('.npz, deflated: %s', async (deflate) => {
  const folder = await mkdtemp(join(tmpdir(), 'octavo-npz-'))
  const path = join(folder, 'a.npz')
  await writeFile(path, zip('x.npy', formatNpy(tensors[0] as Tensor), deflate))
  const { x } = await readNpz(path)
  expect(x?.data).toEqual(tensors[0]?.data)
  await writeFile(path, 'not a zip')
  await expect(readNpz(path)).rejects.toMatchObject({ code: 'ERR_CALIBRATION_DATA' })
})

test('an entry of .npz that is damaged, or larger than it says, is an error', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'octavo-npz-'))
  const path = join(folder, 'a.npz')
  const good = zip('x.npy', formatNpy(tensors[0] as Tensor), true)
  const damaged = Buffer.from(good).fill(0xff, 40, 60)
  const understated = Buffer.from(good)
  understated.writeUInt32LE(8, understated.readUInt32LE(understated.length - 6) + 24)
  for (const bytes of [damaged, understated]) {
    await writeFile(path, bytes)
    await expect(readNpz(path)).rejects.toMatchObject({ code: 'ERR_CALIBRATION_DATA' })
  }
})
