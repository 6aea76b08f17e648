// Jest's environment for Node, which fails a test for an unhandled rejection, except the one left behind by the connector
// (platform/database/connector-rejections.ts): tests stop databases at any moment. Limits of tests and hooks are as long as patience says.
import { TestEnvironment } from 'jest-environment-node';
import { isBrokenConnect, toleratesBrokenConnects } from '../../platform/database/connector-rejections.ts';
import { patience } from './patience.ts';

// Also between two files, when Jest's own handlers are gone.
toleratesBrokenConnects(process);

interface Limited {
  /** Milliseconds; the run's own limit when it is missing. */
  timeout?: number | null;
}

interface TestEvent {
  readonly name: string;
  readonly test?: Limited;
  readonly hook?: Limited;
  readonly error?: unknown;
  readonly promise?: Promise<unknown>;
}

export default class DatabaseTestEnvironment extends TestEnvironment {
  readonly #prolonged = new WeakSet<Limited>();

  handleTestEvent({ name, error, promise, test, hook }: TestEvent, run: { readonly testTimeout: number }): void {
    if (name === 'test_fn_start' || name === 'hook_start') this.#prolong(hook ?? test, run.testTimeout);
    // Once it is handled, Jest ignores it.
    if (name === 'error' && isBrokenConnect(error)) promise?.catch(() => undefined);
  }

  /** Once each: a hook is the same object for every test. */
  #prolong(limited: Limited | undefined, usualMs: number): void {
    if (limited === undefined || this.#prolonged.has(limited)) return;
    this.#prolonged.add(limited);
    limited.timeout = (limited.timeout ?? usualMs) * patience;
  }
}
