/** Nodes that the check keeps in float, by name, and why. */
export type Pins = ReadonlyMap<string, string>
