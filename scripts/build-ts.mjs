// Compiles lib/ to dist/, then gathers the modules that each entry point needs in a few files, dist/chunks/: Node takes half a
// millisecond for every module file that it loads. dist/ without this last step works as well (`npx tsc`).
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { rolldown } from 'rolldown'
import { pruneDeclarations } from './declarations.mjs'

const root = new URL('..', import.meta.url).pathname
const at = (...parts) => join(root, ...parts)

const compiler = at('node_modules', 'typescript', 'bin', 'tsc')
const { status } = spawnSync(process.execPath, [compiler, '-p', at('tsconfig.json')], { stdio: 'inherit' })
if (status !== 0) process.exit(1)

const bundle = await rolldown({
  input: {
    index: at('dist', 'index.js'),
    register: at('dist', 'register.js'),
    'cli/main': at('dist', 'cli', 'main.js'),
  },
  platform: 'node',
  // node-gyp-build is needed by every session: in the file it costs no look-up of a package.
  external: (id) => /^[^./]/.test(id) && id !== 'node-gyp-build',
})
rmSync(at('dist', 'chunks'), { recursive: true, force: true })
await bundle.write({
  dir: at('dist'),
  format: 'esm',
  // Half of a first session is V8 reading functions: short local names and no comments take a twentieth off its time. Lines
  // and the names of functions stay as they are, for whoever reads a stack.
  comments: false,
  minify: {
    compress: true,
    mangle: { toplevel: false, keepNames: true },
    codegen: { removeWhitespace: false },
  },
  // As deep in the folder as the modules were: the addon and package.json are found from there.
  chunkFileNames: 'chunks/[name].js',
  // What every session needs is one file.
  codeSplitting: { groups: [{ name: 'octavo', test: /[\\/]dist[\\/]index\.js$/ }] },
})
await bundle.close()

pruneDeclarations(at('dist'), ['index.d.ts', 'register.d.ts'])
