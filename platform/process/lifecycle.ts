// Ordered start and stop of a process's components. All components are drained, at once, before any is stopped; they are stopped in the reverse
// of the order they were added.

import type { Logger } from '../log/log.ts';
import { within } from '../work/within.ts';
import { startStep } from './start-budget.ts';

export interface LifecycleComponent {
  readonly start?: () => Promise<void> | void;
  /** Accepts no more work and finishes running work. */
  readonly drain?: () => Promise<void> | void;
  readonly stop?: () => Promise<void> | void;
  /** For each of drain and stop; default 30000. A start has a budget of minutes (start-budget.ts). */
  readonly deadlineMs?: number;
}

type Phase = 'starting' | 'ready' | 'draining' | 'stopped';

interface NamedComponent {
  readonly name: string;
  /** The object itself: its methods need it as `this`. */
  readonly component: LifecycleComponent;
}

const defaultDeadlineMs = 30_000;

export class Lifecycle {
  readonly #log: Logger;
  readonly #startBudgetMs: number | undefined;
  readonly #components: NamedComponent[] = [];
  #phase: Phase = 'starting';
  #stopping: Promise<void> | undefined;

  constructor(options: { readonly log: Logger; readonly startBudgetMs?: number }) {
    this.#log = options.log;
    this.#startBudgetMs = options.startBudgetMs;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Starts a component and owns it from then on. Throws when the start fails or the process stops in the meantime. */
  async add(name: string, component: LifecycleComponent): Promise<void> {
    if (this.#phase === 'draining' || this.#phase === 'stopped')
      throw new Error(`${name} is not started: the process is stopping`);
    const named = { name, component };
    // A component is owned before it has started, so a component whose start failed half-way is stopped like the others.
    this.#components.push(named);
    if (component.start !== undefined)
      await startStep(name, { log: this.#log, budgetMs: this.#startBudgetMs }, () => component.start?.());
    this.#log.debug({ part: name }, 'started');
  }

  /** All components have been added. */
  ready(): void {
    if (this.#phase === 'starting') this.#phase = 'ready';
  }

  /** Drains, then stops, all components; a second call waits for the first. Never throws: failures are logged. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#phase = 'draining';
    const reversed = [...this.#components].reverse();
    // Drained at once: each component refuses new work from now on, and none waits for the work of another.
    await Promise.all(reversed.map((component) => this.#try(component, 'drain')));
    for (const component of reversed) await this.#try(component, 'stop');
    this.#phase = 'stopped';
  }

  async #try(component: NamedComponent, step: 'drain' | 'stop'): Promise<void> {
    try {
      await bounded(component, step);
    } catch (error) {
      this.#log.error({ err: error, part: component.name, step }, 'a part did not end cleanly');
    }
  }
}

async function bounded({ name, component }: NamedComponent, step: 'drain' | 'stop'): Promise<void> {
  if (component[step] === undefined) return;
  await within(component.deadlineMs ?? defaultDeadlineMs, `${name} did not ${step}`, () => component[step]?.());
}
