// Photos that packages ship, cut at random places and sizes, half of them mirrored. No photo is in both halves.
import { join } from 'node:path'
import sharp from 'sharp'
import { seeded } from '../random.mjs'

export const PHOTO_PINS = ['scikit-image', 'scikit-learn', 'face-api']
const skimage = (name) => ['scikit-image', `skimage/data/${name}`]
const sklearn = (name) => ['scikit-learn', `sklearn/datasets/images/${name}`]
const people = (n) => ['face-api', `package/demo/sample${n}.jpg`]

const PHOTOS = {
  calibration: [
    people(1),
    people(2),
    people(3),
    skimage('astronaut.png'),
    skimage('coffee.png'),
    skimage('motorcycle_left.png'),
    sklearn('china.jpg'),
    skimage('grass.png'),
  ],
  test: [
    people(4),
    people(5),
    people(6),
    skimage('chelsea.png'),
    skimage('rocket.jpg'),
    sklearn('flower.jpg'),
    skimage('brick.png'),
    skimage('coins.png'),
  ],
}

/** For `of`: the photos with people alone. */
export const withPeople = (half) => PHOTOS[half].slice(0, 3)

/**
 * `count` pictures { data: RGB bytes, width, height } of a half. `smallest`: the least part of the photo's short side that a cut has;
 * `whole`: the whole photo in a square of black instead.
 */
export async function photos(folders, half, { count, width, height = width, smallest = 0.5, whole, of }) {
  const random = seeded(half === 'calibration' ? 11 : 12)
  const list = of?.(half) ?? PHOTOS[half]
  const made = []
  for (let i = 0; i < count; ++i) {
    const [pin, file] = list[i % list.length]
    const path = join(folders[pin], file)
    const { width: w, height: h } = await sharp(path).metadata()
    const side = Math.round(Math.min(w, (h * width) / height) * random.between(smallest, 1))
    const tall = Math.min(h, Math.max(1, Math.round((side * height) / width)))
    const area = {
      left: random.below(w - side + 1),
      top: random.below(h - tall + 1),
      width: side,
      height: tall,
    }
    let picture = sharp(path)
    if (!whole) picture = picture.extract(area)
    const fit = whole ? { fit: 'contain', position: 'left top', background: '#000' } : { fit: 'fill' }
    picture = picture.resize({ width, height, ...fit })
    if (random.next() < 0.5) picture = picture.flop()
    const data = await picture.removeAlpha().toColourspace('srgb').raw().toBuffer()
    made.push({ data, width, height })
  }
  return made
}
