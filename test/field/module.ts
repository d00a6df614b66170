/** A script of `npm run field`, with the type that the test gives it: scripts are plain JavaScript. */
export async function script<T>(path: string): Promise<T> {
  return (await import(new URL(`../../scripts/field/${path}`, import.meta.url).href)) as T
}
