/** Nodes that stay in float whatever they are, by name, and why. */
export type Pins = ReadonlyMap<string, string>
