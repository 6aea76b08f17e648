// Shares runs of some work between concurrent callers: each gets the result of a run that began after its call.

export class JoinedRun<Result> {
  readonly #work: () => Promise<Result>;
  #running: Promise<unknown> | undefined;
  #next: Promise<Result> | undefined;

  constructor(work: () => Promise<Result>) {
    this.#work = work;
  }

  run(): Promise<Result> {
    this.#next ??= this.#begin(this.#running);
    return this.#next;
  }

  async #begin(before: Promise<unknown> | undefined): Promise<Result> {
    await before?.catch(() => undefined);
    const run = this.#work();
    this.#running = run;
    this.#next = undefined;
    try {
      return await run;
    } finally {
      if (this.#running === run) this.#running = undefined;
    }
  }
}
