// Shared objects of a test file, opened before its first test and ended after the last. A shared object is used like
// the object itself.
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';

/** @example const graph = forFile(() => GslbGraph.open()); */
export function forFile<Shared extends object>(open: () => Promise<Shared>): Shared {
  return shared(open, beforeAll, afterAll);
}

/** Each test has a new one. */
export function forTest<Shared extends object>(open: () => Promise<Shared>): Shared {
  return shared(open, beforeEach, afterEach);
}

function shared<Shared extends object>(
  open: () => Promise<Shared>,
  before: (hook: () => Promise<void>) => void,
  after: (hook: () => Promise<void>) => void,
): Shared {
  let opened: Shared | undefined;
  before(async () => {
    opened = await open();
  });
  after(async () => {
    const ending = opened;
    opened = undefined;
    if (ending !== undefined) await end(ending);
  });
  const whole = () => {
    if (opened === undefined) throw new Error('it is used before the tests, or after them');
    return opened;
  };
  return new Proxy({} as Shared, {
    get: (_, name) => {
      const value: unknown = Reflect.get(whole(), name);
      return typeof value === 'function' ? value.bind(whole()) : value;
    },
    set: (_, name, value) => Reflect.set(whole(), name, value),
    has: (_, name) => Reflect.has(whole(), name),
    ownKeys: () => Reflect.ownKeys(whole()),
    getOwnPropertyDescriptor: (_, name) => {
      const found = Reflect.getOwnPropertyDescriptor(whole(), name);
      return found && { ...found, configurable: true };
    },
  });
}

/** Calls the first of these methods that it has. */
async function end(ending: object): Promise<void> {
  for (const name of ['stop', 'close', 'remove', 'drop']) {
    const method: unknown = Reflect.get(ending, name);
    if (typeof method === 'function') {
      await method.call(ending);
      return;
    }
  }
}
