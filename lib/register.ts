/**
 * `import 'octavo/register'`: libraries that look for their runtime under Symbol.for('onnxruntime') (transformers.js does,
 * before it takes onnxruntime-node) find Octavo there.
 */
import * as octavo from './index.js'

Object.assign(globalThis, { [Symbol.for('onnxruntime')]: octavo })
