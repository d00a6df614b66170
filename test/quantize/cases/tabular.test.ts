/** Quantized with defaults: cases of one kind. */
import { describeCases } from './describe.js'
import { tabular } from './tabular.js'

describeCases('tabular', tabular)
