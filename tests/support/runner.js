// Jest's own runner in lanes of one worker each. Files that run whole systems have the first lane: it takes the other files once these are
// done. The other lanes take whole systems only when nothing else is left: whole systems side by side starve each other on two processors.
// A lane takes some files at a time, with a new worker for them: ESM modules can't be unloaded, and each file
// leaves about 14 MB.
import { createRequire } from 'node:module';
import { relative } from 'node:path';
import { Sources } from '../../tools/tests/imports.mjs';
import { needsOf, tierOf } from '../../tools/tests/tiers.mjs';

// CommonJS, which has its class under `default`.
const { default: JestRunner } = createRequire(import.meta.url)('jest-runner');

const mostAtATime = 15;

export default class LaneRunner {
  supportsEventEmitters = true;
  isSerial = false;
  #config;
  #runner;

  constructor(globalConfig, context) {
    this.#config = globalConfig;
    this.#runner = new JestRunner({ ...globalConfig, maxWorkers: 1 }, context);
  }

  async runTests(tests, watcher, options) {
    const sources = new Sources(this.#config.rootDir);
    await runInLanes({
      tests,
      lanes: this.#config.maxWorkers,
      isWhole: ({ path }) => tierOf(needsOf(sources, relative(this.#config.rootDir, path))) === 'system',
      run: (some) => this.#runner.runTests(some, watcher, options),
    });
  }

  on(name, listener) {
    return this.#runner.on(name, listener);
  }
}

/** Fewer files at a time towards the end, so that all lanes end together. */
export async function runInLanes({ tests, lanes, isWhole, run }) {
  const [whole, rest] = [tests.filter(isWhole), tests.filter((test) => !isWhole(test))];
  const next = (queue) => queue.splice(0, Math.max(1, Math.min(mostAtATime, Math.floor(queue.length / (4 * lanes)))));
  const lane = async (...queues) => {
    for (const queue of queues) while (queue.length > 0) await run(next(queue));
  };
  await Promise.all([lane(whole, rest), ...Array.from({ length: lanes - 1 }, () => lane(rest, whole))]);
}
