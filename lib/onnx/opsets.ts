/** Opset imports, and the functions a model brings along. */
import { OctavoError } from '../errors.js'
import type { FunctionProto, OperatorSetIdProto } from './messages.js'
import { NEWEST_OPSET, OLDEST_OPSET } from './upgrade/index.js'

/** The opset of ai.onnx; undefined where it is not imported. Imports of other domains are of no account here. */
export function opsetOf(imports: readonly OperatorSetIdProto[]): number | undefined {
  const versions = imports
    .filter(({ domain }) => domain === '' || domain === 'ai.onnx')
    .map(({ version }) => version)
  if (versions.length === 0) return undefined
  const version = versions.sort((a, b) => Number(b - a))[0] as bigint
  if (version < BigInt(OLDEST_OPSET) || version > BigInt(NEWEST_OPSET)) {
    throw new OctavoError(
      'ERR_UNSUPPORTED_OPSET',
      `Expected opset ${OLDEST_OPSET} to ${NEWEST_OPSET} of ai.onnx, the model has ${version}`,
    )
  }
  return Number(version)
}

export class FunctionTable {
  readonly #functions = new Map<string, FunctionProto>()

  constructor(functions: readonly FunctionProto[]) {
    for (const proto of functions) this.#functions.set(key(proto.domain, proto.name, proto.overload), proto)
  }

  find(domain: string, opType: string, overload: string): FunctionProto | undefined {
    return this.#functions.size === 0 ? undefined : this.#functions.get(key(domain, opType, overload))
  }
}

function key(domain: string, name: string, overload: string): string {
  return `${domain === 'ai.onnx' ? '' : domain}\0${name}\0${overload}`
}
