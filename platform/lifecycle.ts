// Ordered start and stop of a process's parts. All parts are drained, at once, before any is stopped; they are stopped in the reverse
// of the order they were added.

import type { Logger } from './log.ts';
import { within } from './within.ts';

export interface LifecyclePart {
  readonly start?: () => Promise<void> | void;
  /** Accepts no more work and finishes running work. */
  readonly drain?: () => Promise<void> | void;
  readonly stop?: () => Promise<void> | void;
  /** For each of start, drain and stop; default 30000. */
  readonly deadlineMs?: number;
}

export type Phase = 'starting' | 'ready' | 'draining' | 'stopped';

interface NamedPart {
  readonly name: string;
  /** The object itself: its methods need it as `this`. */
  readonly part: LifecyclePart;
}

const defaultDeadlineMs = 30_000;

export class Lifecycle {
  readonly #log: Logger;
  readonly #parts: NamedPart[] = [];
  #phase: Phase = 'starting';
  #stopping: Promise<void> | undefined;

  constructor(options: { readonly log: Logger }) {
    this.#log = options.log;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Starts a part and owns it from then on. Throws when the start fails or the process stops in the meantime. */
  async add(name: string, part: LifecyclePart): Promise<void> {
    if (this.#phase === 'draining' || this.#phase === 'stopped')
      throw new Error(`${name} is not started: the process is stopping`);
    const named = { name, part };
    // Owned before it has started: a part whose start failed half-way is stopped like the others.
    this.#parts.push(named);
    await bounded(named, 'start');
    this.#log.debug({ part: name }, 'started');
  }

  /** All parts have been added. */
  ready(): void {
    if (this.#phase === 'starting') this.#phase = 'ready';
  }

  /** Drains, then stops, all parts; a second call waits for the first. Never throws: failures are logged. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#phase = 'draining';
    const reversed = [...this.#parts].reverse();
    // At once: each refuses new work from now on, and none has to wait for the work of another.
    await Promise.all(reversed.map((part) => this.#try(part, 'drain')));
    for (const part of reversed) await this.#try(part, 'stop');
    this.#phase = 'stopped';
  }

  async #try(part: NamedPart, step: 'drain' | 'stop'): Promise<void> {
    try {
      await bounded(part, step);
    } catch (error) {
      this.#log.error({ err: error, part: part.name, step }, 'a part did not end cleanly');
    }
  }
}

async function bounded({ name, part }: NamedPart, step: 'start' | 'drain' | 'stop'): Promise<void> {
  if (part[step] === undefined) return;
  await within(part.deadlineMs ?? defaultDeadlineMs, `${name} did not ${step}`, () => part[step]?.());
}
