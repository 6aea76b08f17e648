// A module is loaded once for all test files of a worker (tests/support/jest/node-runtime.js). Hooks at the top of a shared module would therefore run for
// the first file only, and a module mock would stay for the next files.
import type { SourceFile } from './source-files.ts';

const hook = /^(?:beforeAll|afterAll|beforeEach|afterEach)\(/m;
const standIn = /\bjest\s*\.\s*(?:mock|doMock|unstable_mockModule|setMock|resetModules|isolateModules)\b/;

export function findHookFaults(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path }) => path.startsWith('tests/'))
    .flatMap(({ path, text }) => [
      ...(!path.endsWith('.test.ts') && hook.test(text)
        ? [
            `${path} has a hook outside of a function: export a function that registers it, and call it in the test files`,
          ]
        : []),
      ...(standIn.test(text) ? [`${path} puts a module in the place of another: give the code its parts instead`] : []),
    ]);
}
