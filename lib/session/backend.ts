/** Parts of the API that exist so that code written for onnxruntime finds them. There is one backend, the CPU. */
import type { Backend } from './types.js'

/** One entry of `listSupportedBackends()`. */
export interface SupportedBackend {
  /** `cpu`. */
  readonly name: string
  /** true: it comes with the package. */
  readonly bundled: boolean
}

/** What models can run on: `[{ name: 'cpu', bundled: true }]`, on every machine. */
export function listSupportedBackends(): SupportedBackend[] {
  return [{ name: 'cpu', bundled: true }]
}

/** Accepted and ignored: Octavo has no pluggable backends. */
export function registerBackend(_name: string, _backend: Backend, _priority?: number): void {}

/** onnxruntime's; does nothing. */
export function TRACE(_deviceType: string, _label: string): void {}

/** onnxruntime's; does nothing. */
export function TRACE_FUNC_BEGIN(_extraMessage?: string): void {}

/** onnxruntime's; does nothing. */
export function TRACE_FUNC_END(_extraMessage?: string): void {}

/** onnxruntime's; does nothing. */
export function TRACE_EVENT_BEGIN(_extraMessage?: string): void {}

/** onnxruntime's; does nothing. */
export function TRACE_EVENT_END(_extraMessage?: string): void {}
