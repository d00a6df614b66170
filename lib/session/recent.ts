/**
 * Plans of files that were compiled lately: another session over the same file skips reading and compiling, and packs
 * its weights from the file. A file is the same while device, inode, size and times are.
 */
import type { BigIntStats } from 'node:fs'
import { constants, open, stat } from 'node:fs/promises'
import type { EncodedModel } from '../compile/run/engine.js'
import type { OpenFiles } from '../onnx/open-file.js'
import { blockActivationsOf } from './extra.js'
import type { SessionOptions } from './options.js'

const MOST_PLANS = 8
/** Of all plans: constants that are too small to be read from the file, or are not in it as they are packed. */
const MOST_BYTES = 1 << 22
/** Two writes within a tick of the file system's clock leave the same time: files as new as that are not kept. */
const SETTLED_NS = 2_000_000_000n

const plans = new Map<string, EncodedModel>()

export interface RecentPlan {
  /** The plan, with its file open; undefined where there is none yet. */
  readonly model?: EncodedModel
  /** Keeps the plan of this file for the next session. */
  remember(model: EncodedModel): Promise<void>
}

/** What is known of the model of a session; undefined where it is not a single file. */
export async function findRecent(
  source: string | Uint8Array,
  options: SessionOptions,
  files: OpenFiles,
): Promise<RecentPlan | undefined> {
  if (typeof source !== 'string' || options.optimizedModelFilePath !== undefined) return undefined
  if (options.past !== undefined) return undefined
  if (options.externalData && options.externalData.length > 0) return undefined
  const status = await stat(source, { bigint: true }).catch(() => undefined)
  if (!status?.isFile()) return undefined
  const key = keyOf(status, options)
  const plan = plans.get(key)
  return {
    model: plan && (await reopened(plan, source, key, options, files)),
    remember: async (model) => {
      const now = await stat(source, { bigint: true }).catch(() => undefined)
      if (now && keyOf(now, options) === key && isSettled(now) && !files.external) keep(key, model)
    },
  }
}

function keyOf(status: BigIntStats, options: SessionOptions): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = status
  const { freeDimensionOverrides = {}, graphOptimizationLevel } = options
  const file = [dev, ino, size, mtimeNs, ctimeNs].map(String)
  return JSON.stringify([
    file,
    freeDimensionOverrides,
    graphOptimizationLevel === 'disabled',
    blockActivationsOf(options),
  ])
}

function isSettled({ mtimeNs, ctimeNs }: BigIntStats): boolean {
  const latest = mtimeNs > ctimeNs ? mtimeNs : ctimeNs
  return BigInt(Date.now()) * 1_000_000n - latest > SETTLED_NS
}

function keep(key: string, model: EncodedModel): void {
  if (bytesInMemory(model) > MOST_BYTES) return
  // Copies: a view would keep all of what it was cut from.
  const buffers = model.buffers.map((b) => (b instanceof Uint8Array ? b.slice() : { ...b, fd: -1 }))
  plans.delete(key)
  plans.set(key, { ...model, buffers })
  let total = 0
  for (const plan of plans.values()) total += bytesInMemory(plan)
  for (const [oldest, plan] of plans) {
    if (plans.size <= MOST_PLANS && total <= MOST_BYTES) return
    plans.delete(oldest)
    total -= bytesInMemory(plan)
  }
}

function bytesInMemory({ buffers }: EncodedModel): number {
  return buffers.reduce((sum, b) => sum + (b instanceof Uint8Array ? b.length : 0), 0)
}

/** The plan over an open file, unless that is another by now. */
async function reopened(
  plan: EncodedModel,
  path: string,
  key: string,
  options: SessionOptions,
  files: OpenFiles,
): Promise<EncodedModel | undefined> {
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch(() => undefined)
  if (!handle) return undefined
  files.add(handle)
  if (keyOf(await handle.stat({ bigint: true }), options) !== key) return undefined
  plans.delete(key)
  plans.set(key, plan)
  const { fd } = handle
  return { ...plan, buffers: plan.buffers.map((b) => (b instanceof Uint8Array ? b : { ...b, fd })) }
}
