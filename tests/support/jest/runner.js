// Jest's own runner in lanes of one worker each. Files that run whole systems have the first lane, which takes the
// other files once these are done. The other lanes take whole systems only when nothing else is left, because whole
// systems running side by side starve each other on two processors. A lane takes some files at a time with a new
// worker, because modules can't be unloaded. Files that need the shared product (product-process.ts) are the first in
// their lane. The product starts with the run, and ends after the last of them.
import { createRequire } from 'node:module';
import { dirname, relative } from 'node:path';
import { Sources } from '../../../tools/tests/imports.mjs';
import { needsOf, tierOf } from '../../../tools/tests/tiers.mjs';

// A CommonJS module, which has its class under `default`.
const { default: JestRunner } = createRequire(import.meta.url)('jest-runner');

const mostAtATime = 40;
const lastAlone = 8;

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
    const needs = new Map(tests.map((test) => [test, needsOf(sources, relative(this.#config.rootDir, test.path))]));
    const shared = new Set(tests.filter((test) => needs.get(test).has('product')));
    const product = shared.size > 0 ? await startProduct() : undefined;
    try {
      await runInLanes({
        // Files in the same folder load mostly the same modules.
        tests: [...shared, ...byFolder(tests.filter((test) => !shared.has(test)))],
        // Jest runs a few quick files in this process, where two at a time would share globals.
        lanes: options.serial ? 1 : this.#config.maxWorkers,
        isWhole: (test) => tierOf(needs.get(test)) === 'system',
        run: async (some) => {
          const left = shared.size;
          if (some.some((test) => shared.has(test))) await product.ready();
          await this.#runner.runTests(some, watcher, options);
          for (const test of some) shared.delete(test);
          if (left > 0 && shared.size === 0) await product.stop();
        },
      });
    } finally {
      await product?.stop();
    }
  }

  on(name, listener) {
    return this.#runner.on(name, listener);
  }
}

/** In the order of the folders. */
function byFolder(tests) {
  return [...Map.groupBy(tests, ({ path }) => dirname(path)).values()].flat();
}

/** The modules for it take a second to load. */
async function startProduct() {
  const { ProductProcess } = await import('../product/product-process.ts');
  globalThis.tidegateTestProduct = await ProductProcess.start();
  return globalThis.tidegateTestProduct;
}

/** Fewer files at a time towards the end, so that all lanes end together. */
export async function runInLanes({ tests, lanes, isWhole, run }) {
  const [whole, rest] = [tests.filter(isWhole), tests.filter((test) => !isWhole(test))];
  const next = (queue) =>
    queue.splice(0, Math.max(1, Math.min(mostAtATime, Math.floor((queue.length - lastAlone) / (2 * lanes)))));
  const lane = async (...queues) => {
    for (const queue of queues) while (queue.length > 0) await run(next(queue));
  };
  await Promise.all([lane(whole, rest), ...Array.from({ length: lanes - 1 }, () => lane(rest, whole))]);
}
