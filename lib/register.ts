/**
 * Puts Octavo under `Symbol.for('onnxruntime')` on globalThis, where libraries look for their runtime (transformers.js
 * does, before it takes onnxruntime-node). Import it before them. It throws nothing, and does not load the native part.
 *
 * @example
 * ```ts
 * import 'octavo/register'
 *
 * const runtime: unknown = Reflect.get(globalThis, Symbol.for('onnxruntime'))
 * console.log(runtime !== undefined)
 * ```
 */

import * as octavo from './index.js'

Object.assign(globalThis, { [Symbol.for('onnxruntime')]: octavo })
