// Jest's runtime in Node's own module loading: no context of its own, no transform, and modules outside of `tests` are loaded once in a
// worker. Modules in `tests` are loaded anew for each test file, for some register hooks and keep what they started. A module that stands in
// for another (jest.mock) would stand in for it in the files after it: there is none.
import { createRequire, registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(import.meta.url);
const testsUrl = pathToFileURL(join(import.meta.dirname, '..')).href;
const globalsUrl = pathToFileURL(join(import.meta.dirname, 'jest-globals.js')).href;
const eventHandlers = Symbol.for('EVENT_HANDLERS');
/** What `@jest/globals` means in the test file that runs. */
const key = Symbol.for('tidegate.jest-globals');

registerHooks({
  resolve(specifier, context, next) {
    if (specifier === '@jest/globals') return { url: globalsUrl, format: 'module', shortCircuit: true };
    const found = next(specifier, context);
    const { parentURL = '' } = context;
    const at = parentURL.lastIndexOf('?file=');
    const isAnew = at > 0 && found.url.startsWith(`${testsUrl}/`) && !found.url.includes('?');
    return isAnew ? { ...found, url: `${found.url}${parentURL.slice(at)}` } : found;
  },
});

let files = 0;

export default class NodeRuntime {
  #environment;

  constructor(_config, environment) {
    this.#environment = environment;
  }

  /** Its state is that of one test file. */
  requireInternalModule(path) {
    delete globalThis[eventHandlers];
    delete require.cache[require.resolve(path)];
    return require(path);
  }

  setGlobalsForRuntime(globals) {
    globalThis[key] = { ...globals, jest: this.#jest() };
  }

  unstable_shouldLoadAsEsm() {
    return true;
  }

  async unstable_importModule(path) {
    files += 1;
    await import(`${pathToFileURL(path).href}?file=${files}`);
  }

  requireModule(path) {
    return require(path);
  }

  /** Node's type stripping keeps lines and columns. */
  getSourceMaps() {
    return new Map();
  }

  getAllCoverageInfoCopy() {}

  enterTestCode() {}

  leaveTestCode() {}

  teardown() {
    globalThis[key] = undefined;
  }

  /** The part of the object `jest` that tests use. */
  #jest() {
    const { moduleMocker, fakeTimersModern: timers } = this.#environment;
    return {
      fn: moduleMocker.fn.bind(moduleMocker),
      spyOn: moduleMocker.spyOn.bind(moduleMocker),
      restoreAllMocks: () => moduleMocker.restoreAllMocks(),
      useFakeTimers: (options) => timers.useFakeTimers(options),
      useRealTimers: () => timers.useRealTimers(),
      advanceTimersByTime: (ms) => timers.advanceTimersByTime(ms),
      advanceTimersByTimeAsync: (ms) => timers.advanceTimersByTimeAsync(ms),
    };
  }
}
