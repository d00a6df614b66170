/** What is not needed to run a model is loaded when it is first called. */
import type { GeneratedToken, GenerateOptions } from './generate/index.js'
import type { QuantizeOptions, QuantizeResult } from './quantize/index.js'
import type { CompareOptions, Comparison } from './report/compare.js'
import type { ExplainOptions, Explanation } from './report/explain.js'
import type { Inspection, InspectOptions } from './report/inspect.js'
import type { InferenceSession } from './session/session.js'

/**
 * Quantizes a float model: to int8, calibrated on samples, or to what a preset or settings say, such as 4-bit weights, which need
 * no samples. The result is a standard ONNX file in QDQ form, which other runtimes read too. The same model, data and options give the same bytes. The event loop stays free.
 *
 * @param model Path of the float model, or the bytes of its file.
 *
 * @example
 * ```ts
 * import { writeFile } from 'node:fs/promises'
 * import { quantize, Tensor } from 'octavo'
 *
 * async function* samples() {
 *   for (let i = 0; i < 100; ++i) {
 *     const pixels = Float32Array.from({ length: 3 * 224 * 224 }, Math.random) // your data here
 *     yield { input: new Tensor('float32', pixels, [1, 3, 224, 224]) }
 *   }
 * }
 *
 * const { model, report } = await quantize('model.onnx', { data: samples })
 * await writeFile('model.int8.onnx', model)
 * console.log(report.samples, report.warnings)
 * ```
 *
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`: `model` is neither a path nor bytes, `data` is missing where settings need it or gives no samples,
 * or an option is not possible; the message names it.
 * @throws {OctavoError} `ERR_ALREADY_QUANTIZED`: the model has quantized operators.
 * @throws {OctavoError} `ERR_NOTHING_QUANTIZED`: no product of the model has integer weights, and `force` is not given.
 * @throws {OctavoError} `ERR_CALIBRATION_DATA`: there are no samples, or one does not fit the model or holds NaN or
 * +Infinity; the message says which.
 * @throws {OctavoError} `ERR_IO`: a file is not there or cannot be read.
 * @throws {OctavoError} `ERR_MODEL_PARSE`, `ERR_MODEL_INVALID`: it is not an ONNX file, or breaks a rule of ONNX.
 * @throws {OctavoError} `ERR_UNSUPPORTED_OP`, `ERR_UNSUPPORTED_OPSET`: the model needs what Octavo lacks.
 * @throws {OctavoError} `ERR_EXTERNAL_DATA`: a file of external data is missing, too short, or outside of the folder.
 * @throws {OctavoError} `ERR_SHAPE_MISMATCH`, `ERR_RUN`: a sample, or a node of constants, cannot be computed.
 * @throws {OctavoError} `ERR_LIMIT`: the model or a run of it needs more memory than there is.
 * @throws {OctavoError} `ERR_NATIVE_LOAD`: the native part does not load on this machine.
 */
export async function quantize(
  model: string | Uint8Array,
  options?: QuantizeOptions,
): Promise<QuantizeResult> {
  const tool = await import('./quantize/index.js')
  return tool.quantize(model, options)
}

/**
 * Runs a float model and its quantized form on the same samples, and says how far their outputs, and with `layers` the
 * values inside, are apart. Samples are streamed, and the event loop stays free.
 *
 * @param float Path of the float model, or the bytes of its file.
 * @param int8 Path of the quantized model, or the bytes of its file.
 *
 * @example
 * ```ts
 * import { compare, Tensor } from 'octavo'
 *
 * const data = [{ input: new Tensor('float32', new Float32Array(3 * 224 * 224), [1, 3, 224, 224]) }]
 * const { outputs, layers = [] } = await compare('model.onnx', 'model.int8.onnx', { data, layers: true })
 * for (const { name, cosine, sqnr, top1Agreement } of outputs) console.log(name, cosine, sqnr, top1Agreement)
 * console.log('worst layer', [...layers].sort((a, b) => a.cosine - b.cosine)[0]?.name)
 * ```
 *
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`: a model is neither a path nor bytes, or `data` is missing or no source of
 * samples.
 * @throws {RangeError} `ERR_OUT_OF_RANGE`: `labels` has fewer entries than there are samples, or than a sample has rows.
 * @throws {OctavoError} `ERR_CALIBRATION_DATA`: there are no samples, or one does not fit the float model or holds NaN
 * or +Infinity.
 * @throws {OctavoError} `ERR_MODEL_INVALID`: the models have no output in common, or the second has inputs that the first
 * does not have.
 * @throws {OctavoError} `ERR_SHAPE_MISMATCH`: a value has other sizes in one model than in the other.
 * @throws {OctavoError} `ERR_IO`: a file is not there or cannot be read.
 * @throws {OctavoError} `ERR_MODEL_PARSE`, `ERR_MODEL_INVALID`: it is not an ONNX file, or breaks a rule of ONNX.
 * @throws {OctavoError} `ERR_UNSUPPORTED_OP`, `ERR_UNSUPPORTED_OPSET`: the model needs what Octavo lacks.
 * @throws {OctavoError} `ERR_EXTERNAL_DATA`: a file of external data is missing, too short, or outside of the folder.
 * @throws {OctavoError} `ERR_RUN`: a sample, or a node of constants, cannot be computed; the error names the node.
 * @throws {OctavoError} `ERR_LIMIT`: a model or a run of it needs more memory than there is.
 * @throws {OctavoError} `ERR_NATIVE_LOAD`: the native part does not load on this machine.
 */
export async function compare(
  float: string | Uint8Array,
  int8: string | Uint8Array,
  options: CompareOptions,
): Promise<Comparison> {
  const tool = await import('./report/compare.js')
  return tool.compare(float, int8, options)
}

/**
 * Says of every node of a model whether it runs in integers or in float on this machine, by which kernel, and why.
 * The model is compiled, and run only where `feeds` decides how; weights are packed, so it takes what a session takes.
 *
 * @param model Path of the model, or the bytes of its file.
 *
 * @example
 * ```ts
 * import { explain } from 'octavo'
 *
 * const { isa, steps, nodes } = await explain('model.int8.onnx')
 * console.log(isa, steps)
 * for (const { node, opType, reason } of nodes.filter((n) => n.kind === 'float')) console.log(node, opType, reason)
 * ```
 *
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`: `model` is neither a path nor bytes.
 * @throws {OctavoError} `ERR_IO`: a file is not there or cannot be read.
 * @throws {OctavoError} `ERR_MODEL_PARSE`, `ERR_MODEL_INVALID`: it is not an ONNX file, or breaks a rule of ONNX.
 * @throws {OctavoError} `ERR_UNSUPPORTED_OP`, `ERR_UNSUPPORTED_OPSET`: the model needs what Octavo lacks.
 * @throws {OctavoError} `ERR_EXTERNAL_DATA`: a file of external data is missing, too short, or outside of the folder.
 * @throws {OctavoError} `ERR_UNSUPPORTED_OP`: also for a model that is compiled for what it is fed, as long as neither
 * `feeds` nor `overrides` says what that is.
 * @throws {OctavoError} `ERR_CALIBRATION_DATA`: `feeds` does not fit the model.
 * @throws {OctavoError} `ERR_SHAPE_MISMATCH`, `ERR_RUN`: a node whose inputs are all constants cannot be computed.
 * @throws {OctavoError} `ERR_LIMIT`: the model needs more memory than there is.
 * @throws {OctavoError} `ERR_NATIVE_LOAD`: the native part does not load on this machine.
 */
export async function explain(
  model: string | Uint8Array,
  options: ExplainOptions = {},
): Promise<Explanation> {
  const tool = await import('./report/explain.js')
  return tool.explain(model, options)
}

/**
 * Says what a model file holds: inputs, outputs, operators, weights with their statistics, scales and zero points.
 * Nothing is compiled or run, so it works where the native part does not.
 *
 * @param model Path of the model, or the bytes of its file.
 *
 * @example
 * ```ts
 * import { inspect } from 'octavo'
 *
 * const { inputs, operators, parameters, quantized } = await inspect('model.onnx')
 * console.log(inputs, operators, parameters)
 * for (const { name, scale, zeroPoint } of quantized) console.log(name, scale, zeroPoint)
 * ```
 *
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`: `model` is neither a path nor bytes.
 * @throws {OctavoError} `ERR_IO`: a file is not there or cannot be read.
 * @throws {OctavoError} `ERR_MODEL_PARSE`, `ERR_MODEL_INVALID`: it is not an ONNX file, or breaks a rule of ONNX.
 * @throws {OctavoError} `ERR_UNSUPPORTED_OP`, `ERR_UNSUPPORTED_OPSET`: the model needs what Octavo lacks.
 * @throws {OctavoError} `ERR_EXTERNAL_DATA`: a file of external data is missing, too short, or outside of the folder.
 * @throws {OctavoError} `ERR_LIMIT`: the model has too many nodes, or graphs in graphs in graphs.
 */
export async function inspect(model: string | Uint8Array, options: InspectOptions = {}): Promise<Inspection> {
  const tool = await import('./report/inspect.js')
  return tool.inspect(model, options)
}

/**
 * Continues a prompt by a language model, token by token. Each step runs the model once: on the new token alone where the
 * model takes its past as inputs (`past_key_values.N.key`) and gives it as outputs (`present.N.key`), else on the whole
 * sequence. `attention_mask`, `position_ids` and the like are made as the model names them.
 *
 * A session that keeps its past (option `past`) goes on where it is, and has all but the last token in its past after that.
 *
 * @param session A session over a model that takes token numbers, int64 or int32 [1, tokens], and gives logits, float
 * [1, tokens, vocabulary] or [1, vocabulary].
 * @param prompt Text, for which `options.tokenizer` is needed, or the numbers of its tokens; at least one.
 * @returns An async iterator; leaving its loop early is fine.
 *
 * @example
 * ```ts
 * import { generate, InferenceSession } from 'octavo'
 *
 * const session = await InferenceSession.create('model_q4.onnx')
 * for await (const { token, finish } of generate(session, [1, 385, 328], { maxTokens: 20, stop: [2] })) {
 *   console.log(token, finish)
 * }
 * await session.release()
 * ```
 *
 * @throws {TypeError} `ERR_INVALID_ARG_TYPE`: the prompt has no tokens or is text without a tokenizer; an option is of
 * the wrong kind. This and all else is thrown by the first step of the iterator.
 * @throws {RangeError} `ERR_OUT_OF_RANGE`: an option is out of its range.
 * @throws {OctavoError} `ERR_UNSUPPORTED_OP`: the model has inputs that are neither tokens, masks, positions nor past, or
 * no logits.
 * @throws {OctavoError} `ERR_RUN`: the logits are not numbers, or as for `InferenceSession.run`.
 */
export async function* generate(
  session: InferenceSession,
  prompt: string | readonly number[],
  options: GenerateOptions = {},
): AsyncGenerator<GeneratedToken, void, undefined> {
  const tool = await import('./generate/index.js')
  yield* tool.generate(session, prompt, options)
}
