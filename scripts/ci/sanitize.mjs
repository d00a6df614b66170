// The C++ tests, the TypeScript tests that exercise the addon, and the models, under AddressSanitizer and
// UndefinedBehaviorSanitizer.
import { join } from 'node:path'
import { differing, expectedHashes, hashes } from './bits.mjs'
import { addCounts, check, cmake, fail, finish, has, root, run, skip, vitest } from './tools.mjs'

if (!has('cmake')) skip('sanitizers', 'needs cmake')
else {
  const folder = join(root, 'build', 'asan')
  const options = [
    '-DCMAKE_BUILD_TYPE=RelWithDebInfo',
    '-DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O1 -g1',
    '-DOCTAVO_SANITIZE=address;undefined',
  ]
  if (!cmake(folder, options, ['octavo', 'octavo_tests'])) fail('sanitizer build')
  else {
    const env = { ASAN_OPTIONS: 'detect_leaks=1', UBSAN_OPTIONS: 'print_stacktrace=1' }
    addCounts(run(join(folder, 'octavo_tests'), [], { env }), 'C++ under ASan and UBSan')
    const library = (name) => run('gcc', [`-print-file-name=${name}`]).stdout.trim()
    const preload = `${library('libasan.so')} ${library('libubsan.so')}`
    // Leaks are Node's own business: V8 frees nothing at exit.
    const instrumented = {
      ASAN_OPTIONS: 'detect_leaks=0',
      LD_PRELOAD: preload,
      OCTAVO_BINARY: join(folder, 'octavo.node'),
    }
    addCounts(vitest(['test/native', 'test/malformed'], instrumented), 'TypeScript under ASan and UBSan')
    const different = differing(await expectedHashes(), hashes([process.execPath], { env: instrumented }))
    check(
      different.length === 0,
      `models under ASan and UBSan: same bits${different.map((d) => `, but not ${d}`).join('')}`,
    )
  }
}
finish()
