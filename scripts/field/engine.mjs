// Octavo and onnxruntime-node with one interface: plain tensors { type, dims, data } in and out.

/** `run(feeds)` and `release()` of a model, by a module with InferenceSession and Tensor. */
export async function open({ InferenceSession, Tensor }, model, options = {}) {
  const session = await InferenceSession.create(model, options)
  return {
    async run(feeds) {
      const tensors = Object.entries(feeds).map(([name, t]) => [name, new Tensor(t.type, t.data, t.dims)])
      const results = await session.run(Object.fromEntries(tensors))
      return Object.fromEntries(
        Object.entries(results).map(([name, { type, dims, data }]) => [
          name,
          { type, dims: [...dims], data: numbers(type, data) },
        ]),
      )
    },
    release: () => session.release(),
  }
}

/** Outputs of all samples. */
export async function runAll(module, model, samples, options) {
  const opened = await open(module, model, options)
  try {
    const found = []
    for (const feeds of samples) found.push(await opened.run(feeds))
    return found
  } finally {
    await opened.release()
  }
}

/** Half precision as numbers; everything else as it is. */
function numbers(type, data) {
  if (type !== 'float16' || !(data instanceof Uint16Array)) return data.slice()
  return Float32Array.from(data, (h) => {
    const [exponent, fraction] = [(h >> 10) & 31, h & 1023]
    const magnitude =
      exponent === 31
        ? fraction
          ? Number.NaN
          : Infinity
        : exponent === 0
          ? fraction * 2 ** -24
          : (1024 + fraction) * 2 ** (exponent - 25)
    return h & 0x8000 ? -magnitude : magnitude
  })
}
