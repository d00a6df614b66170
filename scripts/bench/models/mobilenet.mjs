// Networks of inverted residuals: MobileNetV2 1.0 (Sandler et al. 2018, table 2) and EfficientNet-Lite0 (EfficientNet-B0
// of Tan and Le 2019, without squeeze and excitation, ReLU6 for swish, stem and head not scaled).
import { Builder } from './builder.mjs'

/** Expansion, channels, repeats, stride, kernel. */
const MOBILENET_V2 = [
  [1, 16, 1, 1, 3],
  [6, 24, 2, 2, 3],
  [6, 32, 3, 2, 3],
  [6, 64, 4, 2, 3],
  [6, 96, 3, 1, 3],
  [6, 160, 3, 2, 3],
  [6, 320, 1, 1, 3],
]
const EFFICIENTNET_LITE0 = [
  [1, 16, 1, 1, 3],
  [6, 24, 2, 2, 3],
  [6, 40, 2, 2, 5],
  [6, 80, 3, 2, 3],
  [6, 112, 3, 1, 5],
  [6, 192, 4, 2, 5],
  [6, 320, 1, 1, 3],
]

export function mobilenetV2() {
  return inverted('mobilenetv2', MOBILENET_V2)
}

export function efficientnetLite0() {
  return inverted('efficientnet-lite0', EFFICIENTNET_LITE0)
}

function inverted(name, stages) {
  const b = new Builder(2)
  let x = b.input('input', 'float32', [1, 3, 224, 224])
  x = b.relu6(b.conv(x, 3, 32, 3, { stride: 2, gain: Math.SQRT2 }))
  let channels = 32
  for (const [expansion, outputs, repeats, first, kernel] of stages) {
    for (let i = 0; i < repeats; ++i) {
      const stride = i === 0 ? first : 1
      const y = block(b, x, channels, expansion, outputs, stride, kernel)
      x = stride === 1 && channels === outputs ? b.node('Add', [x, y]) : y
      channels = outputs
    }
  }
  x = b.relu6(b.conv(x, channels, 1280, 1, { gain: Math.SQRT2 }))
  b.classes(x, 1280, 1000)
  return b.model(name)
}

function block(b, x, channels, expansion, outputs, stride, kernel) {
  const wide = channels * expansion
  let y = expansion === 1 ? x : b.relu6(b.conv(x, channels, wide, 1, { gain: Math.SQRT2 }))
  y = b.relu6(b.conv(y, wide, wide, kernel, { stride, group: wide, gain: Math.SQRT2 }))
  return b.conv(y, wide, outputs, 1)
}
