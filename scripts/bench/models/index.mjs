// The models of the benchmark: seeded ones, whose shapes are what matters for time, and the MLPerf Tiny ones where the
// folder ../shared/models is at hand.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { encoder } from './encoder.mjs'
import { efficientnetLite0, mobilenetV2 } from './mobilenet.mjs'
import { resnet18, resnet50 } from './resnet.mjs'

const shared = fileURLToPath(new URL('../../../../shared/models/', import.meta.url))
const IMAGE = [1, 3, 224, 224]

/** name; make: bytes of the float model, or path: where it is; dims: of its one input, by case. */
export const MODELS = [
  { name: 'mobilenetv2', make: mobilenetV2, cases: { '': IMAGE } },
  { name: 'resnet18', make: resnet18, cases: { '': IMAGE } },
  { name: 'resnet50', make: resnet50, cases: { '': IMAGE } },
  { name: 'efficientnet-lite0', make: efficientnetLite0, cases: { '': IMAGE } },
  {
    name: 'encoder',
    make: encoder,
    cases: { '128 tokens': [1, 128, 384], '16 tokens': [1, 16, 384], '1 token': [1, 1, 384] },
  },
  {
    name: 'mlperf-ic',
    path: join(shared, 'mlperf_ic_resnet8.onnx'),
    cases: { '': [1, 3, 32, 32] },
    tiny: true,
  },
  {
    name: 'mlperf-kws',
    path: join(shared, 'mlperf_kws_dscnn.onnx'),
    cases: { '': [1, 1, 49, 10] },
    tiny: true,
  },
  {
    name: 'mlperf-ad',
    path: join(shared, 'mlperf_ad_autoencoder.onnx'),
    cases: { '': [1, 640] },
    tiny: true,
  },
]

export function present(model) {
  return model.path === undefined || existsSync(model.path)
}
