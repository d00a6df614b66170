// The models, as data: { name, domain, pin (of pins.mjs), file (in its archive), data (pins that inputs need), how (the inputs are made),
// samples(context, half): feeds, where half is 'calibration' or 'test' and context has folders, path and run(path, feeds) in float }.
import { DETECTION } from './detection.mjs'
import { SPEECH } from './speech.mjs'
import { TABULAR } from './tabular.mjs'
import { TEXT } from './text.mjs'
import { VISION } from './vision.mjs'

const of = (domain, list) => list.map((model) => ({ domain, ...model }))

export const MODELS = [
  ...of('vision', VISION),
  ...of('detection', DETECTION),
  ...of('text', TEXT),
  ...of('speech', SPEECH),
  ...of('tabular', TABULAR),
]
