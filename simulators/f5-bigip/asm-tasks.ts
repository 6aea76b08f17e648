// ASM's tasks: accepted at once, executed later and one by one: NEW, STARTED, then COMPLETED or FAILURE.

import { randomBytes } from 'node:crypto';
import type { JsonObject } from './rest.ts';

export type TaskType = 'import-policy' | 'apply-policy';

interface Task {
  readonly id: string;
  readonly type: TaskType;
  readonly body: JsonObject;
  readonly startedAt: number;
  end?: { readonly status: 'COMPLETED' | 'FAILURE'; readonly result: JsonObject; readonly at: number };
}

/** The oldest ended ones disappear. */
const mostTasks = 1_000;

interface TaskKnobs {
  /** From NEW to the end; STARTED begins at half of it. Infinity: until it is lowered. */
  taskMs: number;
  /** The next tasks end in FAILURE with these messages. */
  readonly failures: string[];
}

export class AsmTasks {
  readonly knobs: TaskKnobs = { taskMs: 20, failures: [] };
  readonly #work: Readonly<Record<'import' | 'apply', (body: JsonObject) => JsonObject>>;
  readonly #now: () => number;
  #tasks = new Map<string, Task>();

  /** `work` has the effect of a task at its end; it throws the task's failure. */
  constructor(work: Readonly<Record<'import' | 'apply', (body: JsonObject) => JsonObject>>, now: () => number) {
    this.#work = work;
    this.#now = now;
  }

  get state(): unknown {
    return this.#tasks;
  }

  restore(state: unknown): void {
    this.#tasks = state as Map<string, Task>;
  }

  add(type: TaskType, body: JsonObject): JsonObject {
    for (const old of this.#tasks.values()) if (this.#tasks.size >= mostTasks && old.end) this.#tasks.delete(old.id);
    const task: Task = { id: randomBytes(16).toString('base64url'), type, body, startedAt: this.#now() };
    this.#tasks.set(task.id, task);
    return this.#view(task);
  }

  get(type: TaskType, id: string): JsonObject | undefined {
    const task = this.#tasks.get(id);
    return task?.type === type ? this.#view(task) : undefined;
  }

  remove(id: string): void {
    this.#tasks.delete(id);
  }

  list(type: TaskType): JsonObject {
    const items = [...this.#tasks.values()].filter((task) => task.type === type).map((task) => this.#view(task));
    return { kind: `tm:asm:tasks:${type}:${type}-taskcollectionstate`, totalItems: items.length, items };
  }

  /** Ends the tasks that are due. False if there are none. */
  advance(): boolean {
    const now = this.#now();
    let ended = false;
    for (const task of this.#tasks.values()) {
      if (task.end || task.startedAt + this.knobs.taskMs > now) continue;
      task.end = { ...this.#carryOut(task), at: now };
      ended = true;
    }
    return ended;
  }

  #carryOut({ type, body }: Task): { status: 'COMPLETED' | 'FAILURE'; result: JsonObject } {
    const failure = this.knobs.failures.shift();
    if (failure !== undefined) return { status: 'FAILURE', result: { message: failure } };
    try {
      return { status: 'COMPLETED', result: this.#work[type === 'import-policy' ? 'import' : 'apply'](body) };
    } catch (error) {
      return { status: 'FAILURE', result: { message: error instanceof Error ? error.message : String(error) } };
    }
  }

  #view({ id, type, body, startedAt, end }: Task): JsonObject {
    const started = this.#now() - startedAt >= this.knobs.taskMs / 2;
    const { file: _file, ...shown } = body;
    return {
      kind: `tm:asm:tasks:${type}:${type}-taskstate`,
      selfLink: `https://localhost/mgmt/tm/asm/tasks/${type}/${id}?ver=13.1.1`,
      id,
      status: end?.status ?? (started ? 'STARTED' : 'NEW'),
      startTime: new Date(startedAt).toISOString(),
      lastUpdateMicros: (end?.at ?? startedAt) * 1_000,
      ...shown,
      ...(end ? { endTime: new Date(end.at).toISOString(), result: end.result } : {}),
    };
  }
}
