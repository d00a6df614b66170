/** Quantized with defaults: cases of one kind. */
import { describeCases } from './describe.js'
import { detectors } from './detectors.js'

describeCases('detectors', detectors)
