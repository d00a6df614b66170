// onnxruntime as the other engine: where it is, and whether it runs a file on integers.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeModel } from '../../dist/onnx/proto.js'
import { onnxruntimeQuantizer } from '../accuracy/onnxruntime-quantizer.mjs'
import { installPeer, peerFolder } from '../onnxruntime.mjs'
import { load, PEER } from './engines.mjs'

/** { folder, module, version, quantizer? }, or undefined with a word where it is absent. */
export async function findPeer({ quick }, progress) {
  const folder = quick ? peerFolder() : installPeer()
  if (folder === undefined) {
    progress.note('onnxruntime-node is not there: Octavo alone')
    return undefined
  }
  const module = await load(PEER, folder)
  const quantizer = quick ? undefined : onnxruntimeQuantizer()
  if (!quantizer && !quick)
    progress.note("no Python with onnxruntime.quantization: without its quantizer's files")
  return { folder, module, version: module.env.versions.node, quantizer }
}

/** Convolutions of onnxruntime's optimized graph by what they became: { integer, float }. */
export async function convolutions({ module }, path) {
  const folder = mkdtempSync(join(tmpdir(), 'octavo-bench-'))
  try {
    const optimizedModelFilePath = join(folder, 'optimized.onnx')
    const options = { optimizedModelFilePath, logSeverityLevel: 3, intraOpNumThreads: 1 }
    const session = await module.InferenceSession.create(path, options)
    await session.release()
    const { graph } = decodeModel(new Uint8Array(readFileSync(optimizedModelFilePath)), path)
    const count = (names) => graph.node.filter((n) => names.includes(n.opType)).length
    return { integer: count(['QLinearConv', 'ConvInteger']), float: count(['Conv', 'FusedConv']) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
