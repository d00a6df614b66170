// ResNet-18 and ResNet-50 (He et al. 2015, table 1; stride in the 3x3 convolution, as torchvision has it).
import { Builder } from './builder.mjs'

const STAGES = [64, 128, 256, 512]

export function resnet18() {
  return resnet('resnet18', [2, 2, 2, 2], basic, 1)
}

export function resnet50() {
  return resnet('resnet50', [3, 4, 6, 3], bottleneck, 4)
}

function resnet(name, blocks, block, expansion) {
  const b = new Builder(18)
  let x = b.input('input', 'float32', [1, 3, 224, 224])
  x = b.relu(b.conv(x, 3, 64, 7, { stride: 2, gain: Math.SQRT2 }))
  x = b.node('MaxPool', [x], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] })
  let channels = 64
  STAGES.forEach((width, stage) => {
    for (let i = 0; i < blocks[stage]; ++i) {
      const stride = i === 0 && stage > 0 ? 2 : 1
      const outputs = width * expansion
      const short = stride > 1 || channels !== outputs ? b.conv(x, channels, outputs, 1, { stride }) : x
      x = b.relu(b.node('Add', [block(b, x, channels, width, stride), short]))
      channels = outputs
    }
  })
  b.classes(x, channels, 1000)
  return b.model(name)
}

function basic(b, x, channels, width, stride) {
  const hidden = b.relu(b.conv(x, channels, width, 3, { stride, gain: Math.SQRT2 }))
  return b.conv(hidden, width, width, 3, { gain: 0.5 })
}

function bottleneck(b, x, channels, width, stride) {
  const narrow = b.relu(b.conv(x, channels, width, 1, { gain: Math.SQRT2 }))
  const hidden = b.relu(b.conv(narrow, width, width, 3, { stride, gain: Math.SQRT2 }))
  return b.conv(hidden, width, width * 4, 1, { gain: 0.5 })
}
