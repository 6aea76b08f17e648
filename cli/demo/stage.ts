// The output of a demo: acts, steps with their results and durations, and the cleanup. Text for a terminal or a pipe, or one JSON value a line.
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFailure } from '../failures.ts';
import { Printer } from '../printer.ts';
import type { Output } from '../verb.ts';

interface StageOptions {
  readonly stdout: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly json: boolean;
  /** Ends the acts. The cleanup continues. */
  readonly signal: AbortSignal;
}

interface Undo {
  readonly what: string;
  readonly work: () => Promise<unknown>;
}

const pauseMs = 100;
/** Default timeout of a wait. */
const usualSeconds = 120;

export class Stage {
  readonly signal: AbortSignal;
  readonly #options: StageOptions;
  readonly #printer: Printer;
  readonly #undos: Undo[] = [];
  readonly #left: string[] = [];
  #act: number | undefined;

  constructor(options: StageOptions) {
    this.signal = options.signal;
    this.#options = options;
    this.#printer = new Printer(options.stdout, options.env);
  }

  /** Changes that could not be undone, or are meant to stay, in words. */
  get left(): readonly string[] {
    return this.#left;
  }

  leave(what: string): void {
    this.#left.push(what);
  }

  async begin(act: number, title: string): Promise<void> {
    this.#act = act;
    if (this.#options.json) return this.#printer.ndjson({ act, title });
    await this.#printer.line('');
    await this.#printer.line(this.#printer.colour(`Act ${act}: ${title}`, 'green'));
  }

  /** Called after the acts. */
  end(): void {
    this.#act = undefined;
  }

  async say(text: string): Promise<void> {
    if (this.#options.json) return this.#printer.ndjson({ act: this.#act, say: text });
    await this.#printer.line(`  ${text}`);
  }

  /** A command to copy. */
  async command(words: string): Promise<void> {
    if (this.#options.json) return this.#printer.ndjson({ act: this.#act, command: words });
    await this.#printer.line(this.#printer.colour(`  $ ${words}`, 'grey'));
  }

  /**
   * Prints the step, runs it, and prints its result and duration. `result`: the result in words. Default: done. Failures are printed too, and thrown
   * again.
   */
  async step<Result>(what: string, work: () => Promise<Result>, result?: (made: Result) => string): Promise<Result> {
    const begunAtMs = performance.now();
    try {
      this.signal.throwIfAborted();
      const made = await work();
      await this.#told(what, result?.(made) ?? 'done', begunAtMs);
      return made;
    } catch (error) {
      const why = this.signal.aborted ? 'interrupted' : messageOf(error);
      await this.#told(what, `failed: ${why}`, begunAtMs, 'red');
      throw error;
    }
  }

  /** Polls until there is a result. Throws CommandFailure when it takes too long. */
  async until<Seen>(
    what: string,
    look: () => Promise<Seen | undefined | false>,
    seconds = usualSeconds,
  ): Promise<Seen> {
    const endsAtMs = performance.now() + seconds * 1_000;
    for (;;) {
      const seen = await look();
      if (seen !== undefined && seen !== false) return seen;
      if (performance.now() > endsAtMs) throw new CommandFailure(`not within ${seconds} s: ${what}`);
      await sleep(pauseMs, undefined, { signal: this.signal });
    }
  }

  /** Registers the undoing of a change. The last change is undone first. A returned text describes a remainder. */
  undo(what: string, work: () => Promise<unknown>): void {
    this.#undos.push({ what, work });
  }

  /** Never rejects. Changes that can't be undone are reported. */
  async undoAll(): Promise<void> {
    for (const { what, work } of this.#undos.splice(0).toReversed()) {
      const begunAtMs = performance.now();
      try {
        const left = await work();
        const isLeft = typeof left === 'string';
        if (isLeft) this.leave(left);
        await this.#told(`cleaning up: ${what}`, isLeft ? 'left as it is' : 'done', begunAtMs);
      } catch (error) {
        this.leave(`${what}: ${messageOf(error)}`);
        await this.#told(`cleaning up: ${what}`, `failed: ${messageOf(error)}`, begunAtMs, 'red');
      }
    }
  }

  async #told(what: string, result: string, begunAtMs: number, colour?: 'red'): Promise<void> {
    const tookMs = Math.round(performance.now() - begunAtMs);
    if (this.#options.json) return this.#printer.ndjson({ act: this.#act, step: what, result, tookMs });
    const [first = '', ...more] = result.split('\n');
    const said = colour === undefined ? first : this.#printer.colour(first, colour);
    await this.#printer.line(`  ${what}: ${said} (${(tookMs / 1_000).toFixed(1)} s)`);
    for (const each of more) await this.#printer.line(`    ${each}`);
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
