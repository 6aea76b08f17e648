// Jest's environment for node-runtime.js, in the worker's own context. It fails a test in which a mutation refuses with
// a code that its description does not name. It fails a test for an unhandled rejection, except the one left behind by
// the connector (platform/database/connector-rejections.ts), because tests stop databases at any moment. It extends the
// limits of tests and hooks by the patience factor. It fails a test of the unit tier that starts a program
// (tools/tests/tiers.mjs), and a test of the landing suite without a proof. A failure of a test in tests/known-red.json
// is printed and not counted. With `TEST_TIMES`, the name of a file, it appends the duration of each test file there
// (tools/ci/times.ts).
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { appendFileSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { ModernFakeTimers } from '@jest/fake-timers';
import { ModuleMocker } from 'jest-mock';
import { isBrokenConnect, toleratesBrokenConnects } from '../../../platform/database/connector-rejections.ts';
import { type UndeclaredRefusal, undeclaredRefusals } from '../../../platform/graph/undeclared-refusals.ts';
import type { FileTime } from '../../../tools/ci/times.ts';
import { type KnownRed, readKnownRed } from '../../../tools/tests/known-red.ts';
import { patience } from '../machine/patience.ts';
import { proofs } from './proofs.ts';

// Also between two files, when Jest's own handlers are removed.
toleratesBrokenConnects(process);

/** The place where node-runtime.js keeps the functions of the running file. */
const jestGlobals = Symbol.for('tidegate.jest-globals');

/** Node's channel for each program that it starts. */
const programStart = 'tracing:child_process.spawn:start';

interface Limited {
  /** Errors of the test. A test with an error fails. */
  readonly errors?: unknown[];
  /** Milliseconds. If missing, the run's own limit. */
  timeout?: number | null;
}

interface Test extends Limited {
  readonly name: string;
  readonly parent?: TestGroup;
  errors: unknown[];
  status?: string | null;
}

interface TestGroup {
  readonly name: string;
  readonly parent?: TestGroup;
}

interface TestEvent {
  readonly name: string;
  readonly test?: Test;
  readonly hook?: Limited;
  readonly error?: unknown;
  readonly promise?: Promise<unknown>;
}

interface Given {
  readonly projectConfig: ConstructorParameters<typeof ModernFakeTimers>[0]['config'];
}

export default class WorkerEnvironment {
  readonly global = globalThis;
  readonly moduleMocker = new ModuleMocker(globalThis);
  readonly fakeTimersModern: ModernFakeTimers;
  /** Jest replaces these for each file. */
  readonly #console = console;
  readonly #exit = process.exit;
  readonly #prolonged = new WeakSet<Limited>();
  readonly #path: string;
  readonly #undeclared = new Set<string>();
  readonly #note = (message: unknown) => {
    const { mutation, code } = message as UndeclaredRefusal;
    this.#undeclared.add(`${mutation} refuses with ${code}, which its @terms do not name`);
  };
  /** Programs started by a test file of the unit tier, which has no need that allows them. */
  readonly #started = new Set<string>();
  readonly #noteStart = (message: unknown) => {
    this.#started.add((message as { readonly options: { readonly file: string } }).options.file);
  };
  #proofs = 0;
  readonly #noteProof = () => {
    this.#proofs += 1;
  };
  readonly #knownRed: readonly KnownRed[];
  readonly #beganMs = performance.now();
  readonly #beganCpuMs = cpuMs();

  constructor({ projectConfig }: Given, { testPath }: { readonly testPath: string }) {
    this.fakeTimersModern = new ModernFakeTimers({ config: projectConfig, global: globalThis });
    this.#path = relative(projectConfig.rootDir, testPath);
    this.#knownRed = readKnownRed(projectConfig.rootDir).filter(({ file }) => file === this.#path);
    subscribe(undeclaredRefusals.name, this.#note);
    subscribe(proofs.name, this.#noteProof);
    if (process.env.TEST_UNIT_FILES?.split('\n').includes(this.#path) === true)
      subscribe(programStart, this.#noteStart);
  }

  async setup(): Promise<void> {}

  /** Required by Jest. */
  getVmContext(): null {
    return null;
  }

  async teardown(): Promise<void> {
    unsubscribe(undeclaredRefusals.name, this.#note);
    unsubscribe(proofs.name, this.#noteProof);
    unsubscribe(programStart, this.#noteStart);
    this.fakeTimersModern.dispose();
    this.moduleMocker.restoreAllMocks();
    globalThis.console = this.#console;
    process.exit = this.#exit;
    const file = process.env.TEST_TIMES;
    if (file === undefined) return;
    const time: FileTime = {
      ...{ path: this.#path, wallMs: Math.round(performance.now() - this.#beganMs), cpuMs: cpuMs() - this.#beganCpuMs },
    };
    appendFileSync(file, `${JSON.stringify(time)}\n`);
  }

  handleTestEvent({ name, error, promise, test, hook }: TestEvent, run: { readonly testTimeout: number }): void {
    if (name === 'test_fn_success') this.#refuse(test);
    if (name === 'test_fn_start' || name === 'hook_start') this.#prolong(hook ?? test, run.testTimeout);
    if (name === 'test_done' && test !== undefined) this.#excuseKnown(test);
    // Jest ignores a rejection once it is handled.
    if (name === 'error' && isBrokenConnect(error)) promise?.catch(() => undefined);
  }

  #excuseKnown(test: Test): void {
    const known = this.#knownRed.find((row) => row.test === titleOf(test));
    if (known === undefined) return;
    if (test.errors.length > 0) {
      process.stderr.write(
        `Known ${known.kind}, failed: ${this.#path} › ${known.test}\n${textOfErrors(test.errors)}\n`,
      );
      test.errors = [];
      test.status = 'skip';
    } else if (known.kind === 'red') {
      test.errors.push(new Error('This test passes: take it out of tests/known-red.json.'));
    }
  }

  #refuse(test: Limited | undefined): void {
    const started = [...this.#started].map((file) => `it starts ${file}: it needs a line "// needs: processes"`);
    const faults = [...this.#undeclared, ...started];
    if (!this.#proves()) faults.push('it proves nothing: it has no expect, and no wait of tests/support');
    if (faults.length > 0) test?.errors?.push(new Error(faults.join('; ')));
    this.#undeclared.clear();
    this.#started.clear();
    this.#proofs = 0;
  }

  /**
   * Jest counts the `expect` calls of the running test. Long files are not judged, because most of them run in later
   * slices.
   */
  #proves(): boolean {
    if (this.#proofs > 0 || this.#path.includes('.long.')) return true;
    const { expect } =
      (globalThis as { [jestGlobals]?: { readonly expect: typeof import('@jest/globals').expect } })[jestGlobals] ?? {};
    return expect === undefined || expect.getState().assertionCalls > 0;
  }

  /** Only once each, because a hook is the same object for every test. */
  #prolong(limited: Limited | undefined, usualMs: number): void {
    if (limited === undefined || this.#prolonged.has(limited)) return;
    this.#prolonged.add(limited);
    limited.timeout = (limited.timeout ?? usualMs) * patience;
  }
}

/** In Jest's format. The outermost group has no title. */
function titleOf(test: Test): string {
  const titles = [test.name];
  for (let group = test.parent; group?.parent !== undefined; group = group.parent) titles.unshift(group.name);
  return titles.join(' › ');
}

/** Jest has errors with and without a second one that has the location. */
function textOfErrors(errors: readonly unknown[]): string {
  return errors
    .map((error) => (Array.isArray(error) ? (error[0] ?? error[1]) : error))
    .map((error) => (error instanceof Error ? error.stack : String(error)))
    .join('\n');
}

/**
 * CPU time of this process and of its ended children: proc(5), fields utime, stime, cutime and cstime, in hundredths of
 * a second.
 */
function cpuMs(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * 10, 0);
}
