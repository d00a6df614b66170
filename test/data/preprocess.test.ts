import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { readImage } from '../../lib/data/images.js'
import { PRESETS, parsePreprocess } from '../../lib/data/preprocess.js'

test('presets, pairs, lists and files say the same', async () => {
  const expected = await parsePreprocess('imagenet')
  const pairs = 'resize=256,crop=224,scale=1/255,mean=0.485:0.456:0.406,std=0.229,0.224,0.225'
  expect(await parsePreprocess(pairs)).toEqual(expected)
  const path = join(await mkdtemp(join(tmpdir(), 'octavo-pre-')), 'p.json')
  await writeFile(path, JSON.stringify(PRESETS.imagenet))
  expect(await parsePreprocess(path)).toEqual(expected)
  expect((await parsePreprocess('imagenet,crop=192x160')).crop).toEqual([192, 160])
})

test.each([
  ['nosuch', /presets raw, unit/],
  ['crop=a', "--preprocess 'crop=a': crop: expected N or WxH in pixels, as 224 or 320x240, got 'a'."],
  ['imagenet,mean=1:2:3:4:5', /mean: expected 1 to 4 numbers.*got '\[1,2,3,4,5\]'/],
  ['imagenet,colour=1', /expected one of the keys resize, crop, .*; got 'colour'/],
  ['layout=chw', /layout: expected nchw or nhwc, got 'chw'/],
  ['/nowhere.json', "--preprocess: Cannot read '/nowhere.json': there is no such file."],
])('%s is refused', async (text, message) => {
  await expect(parsePreprocess(text)).rejects.toThrow(message)
})

test('an image is resized, cropped, ordered and normalized', async () => {
  const path = join(await mkdtemp(join(tmpdir(), 'octavo-img-')), 'x.png')
  const pixels = Buffer.from(Array.from({ length: 4 * 2 * 3 }, (_, i) => i * 5))
  await sharp(pixels, { raw: { width: 4, height: 2, channels: 3 } })
    .png()
    .toFile(path)
  const target = { type: 'float32', shape: [1, 3, 'h', 'w'] }
  const whole = await readImage(path, await parsePreprocess('raw'), target)
  expect(whole.dims).toEqual([1, 3, 2, 4])
  expect([...(whole.data as Float32Array)].slice(0, 4)).toEqual([0, 15, 30, 45])
  const bgr = await readImage(
    path,
    await parsePreprocess('order=bgr,crop=2x2,layout=nhwc,mean=10,std=5'),
    target,
  )
  expect(bgr.dims).toEqual([1, 2, 2, 3])
  expect([...(bgr.data as Float32Array)].slice(0, 3)).toEqual([25, 20, 15].map((b) => (b - 10) / 5))
  await writeFile(path, 'not an image')
  await expect(readImage(path, await parsePreprocess('raw'), target)).rejects.toMatchObject({
    code: 'ERR_CALIBRATION_DATA',
  })
})
