// Jest's own runner in lanes of one worker each. Files that run whole systems have the first lane: it takes the other files once these are
// done. The other lanes take whole systems only when nothing else is left: whole systems side by side starve each other on two processors.
// A lane takes some files at a time, with a new worker for them: ESM modules can't be unloaded, and each file
// leaves about 14 MB.
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { relative } from 'node:path';
import { Sources } from '../../tools/tests/imports.mjs';
import { needsOf, tierOf } from '../../tools/tests/tiers.mjs';

// CommonJS, which has its class under `default`.
const { default: JestRunner } = createRequire(import.meta.url)('jest-runner');

const filesAtATime = 15;
const filesAtATimeWithLimit = 2;

export default class LaneRunner {
  supportsEventEmitters = true;
  isSerial = false;
  #config;
  #runner;

  constructor(globalConfig, context) {
    this.#config = globalConfig;
    this.#runner = new JestRunner({ ...globalConfig, maxWorkers: 1 }, context);
  }

  /** With `TEST_MINUTES` small files come first, and no file is begun later than that; those that are left are named. */
  async runTests(tests, watcher, options) {
    const minutes = Number(process.env.TEST_MINUTES ?? Number.POSITIVE_INFINITY);
    const endsAtMs = performance.now() + minutes * 60_000;
    const isLimited = Number.isFinite(minutes);
    const sources = new Sources(this.#config.rootDir);
    const left = await runInLanes({
      tests: isLimited ? tests.toSorted((one, other) => sizeOf(one) - sizeOf(other)) : tests,
      lanes: this.#config.maxWorkers,
      atATime: isLimited ? filesAtATimeWithLimit : filesAtATime,
      isOver: () => performance.now() > endsAtMs,
      isWhole: ({ path }) => tierOf(needsOf(sources, relative(this.#config.rootDir, path))) === 'system',
      run: (some) => this.#runner.runTests(some, watcher, options),
    });
    if (left.length === 0) return;
    const names = left.map(({ path }) => relative(this.#config.rootDir, path)).sort();
    process.stderr.write(
      `\nNot run, because ${minutes} minutes were over (${names.length} files):\n${names.join('\n')}\n\n`,
    );
  }

  on(name, listener) {
    return this.#runner.on(name, listener);
  }
}

/** Resolves to the tests that were not begun. */
export async function runInLanes({ tests, lanes, atATime, isWhole, isOver, run }) {
  const [whole, rest] = [tests.filter(isWhole), tests.filter((test) => !isWhole(test))];
  const lane = async (...queues) => {
    for (const queue of queues) while (queue.length > 0 && !isOver()) await run(queue.splice(0, atATime));
  };
  await Promise.all([lane(whole, rest), ...Array.from({ length: lanes - 1 }, () => lane(rest, whole))]);
  return [...whole, ...rest];
}

function sizeOf({ path }) {
  return statSync(path).size;
}
