// Lines of text for the demo: made of a seed, rendered with a font from npm (a bare machine has none).
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import sharp from 'sharp'

const fonts = join(dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')), 'ttf')
const FACES = [
  ['DejaVu Sans', 'DejaVuSans.ttf'],
  ['DejaVu Serif', 'DejaVuSerif.ttf'],
  ['DejaVu Sans Condensed', 'DejaVuSansCondensed.ttf'],
]
const WORDS =
  `gateway sensor valve pump pressure water north south level warning battery total invoice bread coffee kilogram
street harbour station platform ticket Monday Friday open closed caution engine filter replace before after serial number`.split(
    /\s+/,
  )

/** `count` texts: a word or three, or an amount. The same texts for the same seed. */
export function texts(count, seed) {
  let state = seed
  const next = (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
  const word = () => WORDS[next(WORDS.length)]
  return Array.from({ length: count }, () => {
    switch (next(4)) {
      case 0:
        return `${word()} ${word()}`
      case 1:
        return `${word()} ${next(10000)}`
      case 2:
        return `${next(1000)}.${String(next(100)).padStart(2, '0')} EUR`
      default:
        return `${word()}-${next(90) + 10}`
    }
  })
}

const [HEIGHT, WIDTH, MARGIN] = [48, 320, 10]

/**
 * A text as the recognizer wants it: float32 [1, 3, 48, 320], (x / 255 - 0.5) / 0.5, dark ink on light paper,
 * padded with 0 on the right.
 */
export async function render(text, face) {
  const [font, file] = FACES[face % FACES.length]
  const drawn = await sharp({ text: { text, font, fontfile: join(fonts, file), dpi: 200 } })
    .png()
    .toBuffer()
  const { data: ink, info } = await sharp(drawn)
    .resize({ height: HEIGHT - 18, width: WIDTH - 2 * MARGIN, fit: 'inside' })
    .raw()
    .toBuffer({ resolveWithObject: true })
  const top = Math.floor((HEIGHT - info.height) / 2)
  const paper = 225 - 15 * (face % 3)
  const data = new Float32Array(3 * HEIGHT * WIDTH)
  for (let y = 0; y < HEIGHT; ++y) {
    for (let x = 0; x < info.width + 2 * MARGIN; ++x) {
      const [row, column] = [y - top, x - MARGIN]
      const inside = row >= 0 && row < info.height && column >= 0 && column < info.width
      const coverage = inside ? ink[(row * info.width + column) * info.channels] / 255 : 0
      const value = ((paper * (1 - coverage) + 30 * coverage) / 255 - 0.5) / 0.5
      for (let c = 0; c < 3; ++c) data[(c * HEIGHT + y) * WIDTH + x] = value
    }
  }
  return data
}

/** Greedy CTC decoding of [1, steps, classes]: the best class of each step, repeats, blanks (class 0) and spaces at the ends dropped. */
export function decode({ data, dims }, keys) {
  const [, steps, classes] = dims
  let text = ''
  let previous = 0
  for (let t = 0; t < steps; ++t) {
    let best = 0
    for (let c = 1; c < classes; ++c) if (data[t * classes + c] > data[t * classes + best]) best = c
    if (best !== 0 && best !== previous) text += keys[best - 1] ?? ' '
    previous = best
  }
  return text.trim()
}
