// Pages and lines of text, drawn with the fonts of dejavu-fonts-ttf: real sentences, several faces, papers and inks.
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import sharp from 'sharp'
import { seeded } from '../random.mjs'
import { sentences } from './sentences.mjs'

const fonts = join(dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')), 'ttf')
const FACES = [
  ['DejaVu Sans', 'DejaVuSans.ttf'],
  ['DejaVu Serif', 'DejaVuSerif.ttf'],
  ['DejaVu Sans Condensed', 'DejaVuSansCondensed.ttf'],
  ['DejaVu Sans Bold', 'DejaVuSans-Bold.ttf'],
]
const LANGUAGES = ['eng', 'fra', 'spa', 'deu_1996']

/** `count` pages { data: RGB bytes, width, height }, turned by 0, 90, 180 and 270 degrees in turn. */
export async function pages(folders, half, { count, width, height = width }) {
  const random = seeded(half === 'calibration' ? 21 : 22)
  const made = []
  for (let i = 0; i < count; ++i) {
    const text = sentences(folders, random.pick(LANGUAGES), half)
    const start = random.below(Math.max(1, text.length - 12))
    const drawn = await draw(text.slice(start, start + 12).join('\n\n'), random, {
      width: 420 + random.below(300),
      dpi: 90 + random.below(60),
    })
    const paper = await onPaper(drawn, random, { margin: 20 + random.below(60) })
    const page = await sharp(paper)
      .rotate(90 * (i % 4))
      .png()
      .toBuffer()
    const data = await sharp(page).resize({ width, height, fit: 'cover' }).removeAlpha().raw().toBuffer()
    made.push({ data, width, height })
  }
  return made
}

/** `count` lines of a few words { data: RGB bytes, width, height }, padded with black on the right; some upside down on request. */
export async function lines(folders, half, { count, width, height, upsideDown = false }) {
  const random = seeded(half === 'calibration' ? 23 : 24)
  const made = []
  for (let i = 0; i < count; ++i) {
    const words = random.pick(sentences(folders, random.pick(LANGUAGES), half)).split(' ')
    const start = random.below(Math.max(1, words.length - 3))
    const drawn = await draw(words.slice(start, start + 1 + random.below(4)).join(' '), random, { dpi: 200 })
    let line = await onPaper(drawn, random, { margin: 8 + random.below(12) })
    if (upsideDown && i % 2 === 1) line = await sharp(line).rotate(180).png().toBuffer()
    const data = await sharp(line)
      .resize({ width, height, fit: 'contain', position: 'left', background: '#000' })
      .removeAlpha()
      .raw()
      .toBuffer()
    made.push({ data, width, height })
  }
  return made
}

async function draw(text, random, options) {
  const [font, file] = random.pick(FACES)
  const escaped = text.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`)
  return await sharp({ text: { text: escaped, font, fontfile: join(fonts, file), wrap: 'word', ...options } })
    .extractChannel(0)
    .toColourspace('b-w')
    .raw()
    .toBuffer({ resolveWithObject: true })
}

/** Ink on paper of two colours that differ enough, with a little noise: PNG. */
async function onPaper({ data: ink, info }, random, { margin }) {
  const [paper, dark] = [0, 1].map((i) =>
    [0, 1, 2].map(() => (i ? random.below(90) : 185 + random.below(70))),
  )
  const [width, height] = [info.width + 2 * margin, info.height + 2 * margin]
  const data = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; ++y)
    for (let x = 0; x < width; ++x) {
      const [row, column] = [y - margin, x - margin]
      const inside = row >= 0 && row < info.height && column >= 0 && column < info.width
      const part = inside ? ink[(row * info.width + column) * info.channels] / 255 : 0
      const noise = 6 * random.normal()
      for (let c = 0; c < 3; ++c)
        data[(y * width + x) * 3 + c] = Math.min(
          255,
          Math.max(0, paper[c] * (1 - part) + dark[c] * part + noise),
        )
    }
  return await sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer()
}
