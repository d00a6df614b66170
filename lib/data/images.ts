/** Image files as tensors, decoded and resized by sharp (an optional peer: only who reads images needs it). */
import { OctavoError } from '../errors.js'
import { Tensor } from '../session/tensor.js'
import type { Preprocess } from './preprocess.js'

/** Size and layout that the model's input asks for, where it does. */
export interface ImageTarget {
  readonly type: string
  /** Sizes; names where they are open. */
  readonly shape: readonly (number | string)[]
}

export const IMAGE_FILES = /\.(jpe?g|png|webp|gif|tiff?|avif|bmp)$/i

type Sharp = typeof import('sharp')['default']

let sharpModule: Promise<Sharp> | undefined

function loadSharp(): Promise<Sharp> {
  sharpModule ??= import('sharp').then(
    (module) => module.default,
    (cause: unknown) => {
      sharpModule = undefined
      throw new OctavoError(
        'ERR_MISSING_DEPENDENCY',
        "Reading images needs the package 'sharp': npm install sharp",
        { cause },
      )
    },
  )
  return sharpModule
}

/** One image as a tensor of [1, C, H, W] or [1, H, W, C]. */
export async function readImage(path: string, spec: Preprocess, target: ImageTarget): Promise<Tensor> {
  const sharp = await loadSharp()
  const layout = spec.layout ?? layoutOf(target)
  const fixed = sizeOf(target, layout)
  const crop = spec.crop ?? (spec.resize === undefined ? undefined : fixed)
  const resize = spec.resize ?? fixed
  try {
    let image = sharp(path, { failOn: 'error' }).rotate().removeAlpha()
    image = spec.order === 'gray' ? image.toColourspace('b-w') : image.toColourspace('srgb')
    if (resize !== undefined) image = image.resize(resizeOptions(resize, spec))
    const resized = await image.raw().toBuffer({ resolveWithObject: true })
    const { width, height, channels } = resized.info
    const area = cropArea(crop, width, height, path)
    return toTensor(new Uint8Array(resized.data), { width, height, channels }, area, spec, layout, target)
  } catch (cause) {
    if (cause instanceof OctavoError) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new OctavoError('ERR_CALIBRATION_DATA', `'${path}' is not an image that can be decoded: ${why}`, {
      cause,
    })
  }
}

interface Size {
  readonly width: number
  readonly height: number
}

function layoutOf({ shape }: ImageTarget): 'nchw' | 'nhwc' {
  const isChannels = (d: number | string | undefined) => d === 1 || d === 3
  return shape.length === 4 && !isChannels(shape[1]) && isChannels(shape[3]) ? 'nhwc' : 'nchw'
}

function sizeOf({ shape }: ImageTarget, layout: 'nchw' | 'nhwc'): [number, number] | undefined {
  if (shape.length !== 4) return undefined
  const [height, width] = layout === 'nchw' ? [shape[2], shape[3]] : [shape[1], shape[2]]
  return typeof height === 'number' && typeof width === 'number' ? [width, height] : undefined
}

function resizeOptions(size: number | [number, number], spec: Preprocess) {
  if (typeof size === 'number') return { width: size, height: size, fit: 'outside' as const }
  const background = { r: spec.pad, g: spec.pad, b: spec.pad }
  return { width: size[0], height: size[1], fit: spec.fit, background }
}

function cropArea(crop: number | [number, number] | undefined, width: number, height: number, path: string) {
  const [w, h] = crop === undefined ? [width, height] : typeof crop === 'number' ? [crop, crop] : crop
  if (w > width || h > height) {
    throw new OctavoError(
      'ERR_CALIBRATION_DATA',
      `'${path}': expected at least ${w} x ${h} pixels to crop, got ${width} x ${height}; add resize=${Math.max(w, h)}.`,
    )
  }
  return { left: (width - w) >> 1, top: (height - h) >> 1, width: w, height: h }
}

function toTensor(
  bytes: Uint8Array,
  image: Size & { readonly channels: number },
  area: Size & { readonly left: number; readonly top: number },
  spec: Preprocess,
  layout: 'nchw' | 'nhwc',
  target: ImageTarget,
): Tensor {
  const channels = spec.order === 'gray' ? 1 : 3
  const { width, height } = area
  const values = arrayFor(spec.dtype, channels * width * height)
  for (let c = 0; c < channels; ++c) {
    const source = Math.min(spec.order === 'bgr' ? 2 - c : c, image.channels - 1)
    const mean = spec.mean[spec.mean.length === 1 ? 0 : c] ?? 0
    const std = spec.std[spec.std.length === 1 ? 0 : c] ?? 1
    for (let y = 0; y < height; ++y) {
      for (let x = 0; x < width; ++x) {
        const byte = bytes[((y + area.top) * image.width + x + area.left) * image.channels + source] as number
        const at = layout === 'nchw' ? (c * height + y) * width + x : (y * width + x) * channels + c
        values[at] = (byte * spec.scale - mean) / std
      }
    }
  }
  const dims = layout === 'nchw' ? [channels, height, width] : [height, width, channels]
  return new Tensor(spec.dtype, values, target.shape.length === 3 ? dims : [1, ...dims])
}

function arrayFor(dtype: Preprocess['dtype'], length: number) {
  switch (dtype) {
    case 'uint8':
      return new Uint8Array(length)
    case 'int8':
      return new Int8Array(length)
    case 'int32':
      return new Int32Array(length)
    default:
      return new Float32Array(length)
  }
}
