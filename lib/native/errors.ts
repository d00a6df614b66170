/** Errors of the addon as errors of Octavo: a code that callers can rely on, the step they came from. */
import { type ErrorCode, OctavoError } from '../errors.js'
import type { Binding, NativeModel, NativeStates } from './binding.js'

interface NativeError extends Error {
  readonly nativeCode?: string
  readonly step?: number
}

const CODES: Readonly<Record<string, ErrorCode>> = {
  kInvalidPlan: 'ERR_MODEL_INVALID',
  kUnsupported: 'ERR_UNSUPPORTED_OP',
  kShape: 'ERR_SHAPE_MISMATCH',
  kData: 'ERR_RUN',
  kIo: 'ERR_IO',
  kLimit: 'ERR_LIMIT',
  kCancelled: 'ERR_ABORTED',
  kOutOfMemory: 'ERR_LIMIT',
  kReleased: 'ERR_SESSION_DISPOSED',
}

function convertError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { nativeCode, message } = error as NativeError
  if (nativeCode === undefined) return error
  return new OctavoError(CODES[nativeCode] ?? 'ERR_INTERNAL', message, { cause: error })
}

/** The binding with every error converted. */
export function wrapErrors(native: Binding): Binding {
  return {
    version: native.version,
    isas: native.isas,
    isa: native.isa,
    activations: native.activations,
    cores: native.cores,
    compiler: native.compiler,
    token: () => native.token(),
    states: () => new WrappedStates(native.states()),
    load: async (words, buffers, options, token) => {
      const { states } = options
      const inner = states instanceof WrappedStates ? { ...options, states: states.inner } : options
      return new WrappedModel(await rejecting(() => native.load(words, buffers, inner, token)))
    },
  }
}

class WrappedModel implements NativeModel {
  constructor(private readonly model: NativeModel) {}

  run(...args: Parameters<NativeModel['run']>) {
    return rejecting(() => this.model.run(...args))
  }
  runSync(...args: Parameters<NativeModel['runSync']>) {
    return throwing(() => this.model.runSync(...args))
  }
  readState(name: string) {
    return throwing(() => this.model.readState(name))
  }
  states() {
    return new WrappedStates(throwing(() => this.model.states()))
  }
  fork() {
    return new WrappedModel(throwing(() => this.model.fork()))
  }
  kernels() {
    return throwing(() => this.model.kernels())
  }
  profile() {
    return throwing(() => this.model.profile())
  }
  setProfiling(on: boolean) {
    throwing(() => this.model.setProfiling(on))
  }
  memory() {
    return throwing(() => this.model.memory())
  }
  release() {
    this.model.release()
  }
}

class WrappedStates implements NativeStates {
  constructor(readonly inner: NativeStates) {}

  names() {
    return this.inner.names()
  }
  bytes() {
    return this.inner.bytes()
  }
  copy() {
    return new WrappedStates(throwing(() => this.inner.copy()))
  }
  read(names: readonly string[]) {
    return throwing(() => this.inner.read(names))
  }
  write(...args: Parameters<NativeStates['write']>) {
    throwing(() => this.inner.write(...args))
  }
}

function throwing<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw convertError(error)
  }
}

async function rejecting<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw convertError(error)
  }
}
