/** Quantized with defaults: what random graphs once showed. */
import { describeCases } from './describe.js'
import { shrunk } from './shrunk.js'

describeCases('shrunk', shrunk)
