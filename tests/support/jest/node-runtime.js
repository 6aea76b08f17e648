// Jest's runtime in Node's own module loading. There is no context and no transform, and a worker loads a module once
// for all its test files. So a module shared by them registers hooks in a function (tools/check/test-hooks.ts), and
// none can replace another (jest.mock).
import { createRequire, registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(import.meta.url);
const globalsUrl = new URL('jest-globals.js', import.meta.url).href;
const eventHandlers = Symbol.for('EVENT_HANDLERS');
/** The value of `@jest/globals` in the running test file. */
const key = Symbol.for('tidegate.jest-globals');

registerHooks({
  resolve(specifier, context, next) {
    if (specifier === '@jest/globals') return { url: globalsUrl, format: 'module', shortCircuit: true };
    return next(specifier, context);
  },
});

export default class NodeRuntime {
  #environment;

  constructor(_config, environment) {
    this.#environment = environment;
  }

  /** Its state belongs to one test file. */
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
    await import(pathToFileURL(path).href);
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
