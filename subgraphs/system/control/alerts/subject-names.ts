// The names of alerts' subjects, as the graph shows them to a viewer of their project. They are read when a subject enters a condition, and stored
// with it. A slow graph delays no alert: missing names are filled in later, in the alert too.
import type { Database } from '../../../../platform/database/database.ts';
import type { AskGraph } from '../../../../platform/graph/ask-graph.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import { encodeId } from '../../../../platform/values/ids.ts';
import type { AlertAction } from '../../rules/alerts/evaluate.ts';
import { namedTypes } from '../../spec/alert-conditions.ts';
import { type NamelessSubject, namelessRows, storeName } from '../stores/alert-name-store.ts';
import type { Signal } from '../stores/alert-watch-store.ts';

interface SubjectNamesOptions {
  readonly db: Database;
  readonly askGraph: AskGraph;
  readonly log: Logger;
  readonly monotonicMs: () => number;
}

const namesAtOnce = 20;
/** Deadline for all names of an evaluation, so that alerts are not delayed further. */
const patienceMs = 3_000;
/** Deadline of a query that fills in names. */
const fillMs = 20_000;
/** The pause after an answer without the name, doubled with each. A deleted subject has no name any more. */
const firstPauseMs = 1_000;
const mostPauseMs = 300_000;
const mostTries = 12;

interface Tries {
  readonly count: number;
  /** Monotonic time of the next one. */
  readonly nextMs: number;
}

export class SubjectNames {
  readonly #options: SubjectNamesOptions;
  readonly #controller = new AbortController();
  /** Failed attempts to read names, by the subject's global id. */
  #tries = new Map<string, Tries>();
  #filling: Promise<void> | undefined;
  /** There may be subjects without a name: at the start, and after one came into a condition. */
  #mayLack = true;
  /** Monotonic time of the next attempt. */
  #nextMs = 0;

  constructor(options: SubjectNamesOptions) {
    this.#options = options;
  }

  async stop(): Promise<void> {
    this.#controller.abort();
    await this.#filling;
  }

  /** A subject without a name came into a condition, or has an alert. */
  note(subjectType: string): void {
    if (subjectType in namedTypes) [this.#mayLack, this.#nextMs] = [true, 0];
  }

  /** Starts to fill in missing names, unless this is already in progress. */
  fillSoon(): void {
    if (!this.#mayLack || this.#options.monotonicMs() < this.#nextMs) return;
    if (this.#filling !== undefined || this.#controller.signal.aborted) return;
    this.#filling = this.#fill()
      .catch((error: unknown) => {
        this.#options.log.debug({ err: error }, 'the names of subjects could not be filled in');
      })
      .finally(() => {
        this.#filling = undefined;
      });
  }

  async #fill(): Promise<void> {
    const { db, monotonicMs } = this.#options;
    this.#mayLack = false;
    const rows = Map.groupBy(await namelessRows(db), idOf);
    const nowMs = monotonicMs();
    this.#tries = new Map([...this.#tries].filter(([id]) => rows.has(id)));
    const hopeful = [...rows].filter(([id]) => (this.#tries.get(id)?.count ?? 0) < mostTries);
    const due = hopeful.filter(([id]) => (this.#tries.get(id)?.nextMs ?? 0) <= nowMs);
    const signal = AbortSignal.any([this.#controller.signal, AbortSignal.timeout(fillMs)]);
    const names = await this.#ask(
      due.flatMap(([, [first]]) => first ?? []),
      signal,
    );
    for (const [id, same] of due) {
      const name = names.get(id);
      const count = (this.#tries.get(id)?.count ?? 0) + 1;
      const pauseMs = Math.min(firstPauseMs * 2 ** (count - 1), mostPauseMs);
      if (name === undefined) this.#tries.set(id, { count, nextMs: monotonicMs() + pauseMs });
      else for (const row of same) await storeName(db, row, name);
    }
    const later = hopeful.flatMap(([id]) => this.#tries.get(id)?.nextMs ?? (names.has(id) ? [] : [nowMs]));
    if (later.length > 0 && !this.#mayLack) [this.#mayLack, this.#nextMs] = [true, Math.min(...later)];
  }

  /** Names the subjects of alerts that fire now without a name. */
  async nameSubjects(
    actions: readonly AlertAction<Signal>[],
    signal: AbortSignal,
  ): Promise<readonly AlertAction<Signal>[]> {
    const nameless = actions.flatMap((action) =>
      action.kind === 'FIRE' && action.signal.subjectName === null && action.signal.subjectType in namedTypes
        ? [action.signal]
        : [],
    );
    if (nameless.length === 0) return actions;
    [this.#mayLack, this.#nextMs] = [true, 0];
    const names = await this.#ask(nameless, AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]));
    return actions.map((action) => {
      const name = action.kind === 'FIRE' ? names.get(idOf(action.signal)) : undefined;
      if (action.kind !== 'FIRE' || name === undefined) return action;
      return { ...action, signal: { ...action.signal, subjectName: name } };
    });
  }

  async #ask(subjects: readonly NamelessSubject[], signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const names = new Map<string, string>();
    const groups = Map.groupBy(subjects, ({ projectId, subjectType }) => `${projectId}/${subjectType}`);
    for (const group of groups.values()) {
      const [{ projectId = null, subjectType = '' } = {}] = group;
      for (let at = 0; projectId !== null && at < group.length && !signal.aborted; at += namesAtOnce) {
        const ids = group.slice(at, at + namesAtOnce).map(idOf);
        try {
          const data = await this.#options.askGraph({ projectId, signal, ...questionOf(subjectType, ids) });
          for (const [index, id] of ids.entries()) {
            const { name } = (data[`n${index}`] ?? {}) as { readonly name?: unknown };
            if (typeof name === 'string') names.set(id, name.slice(0, 255));
          }
        } catch (error) {
          this.#options.log.debug({ err: error, subjectType }, 'the graph did not return the names of subjects');
        }
      }
    }
    return names;
  }
}

function questionOf(type: string, ids: readonly string[]) {
  const parameters = ids.map((_, at) => `$n${at}: ID!`).join(', ');
  const fields = ids.map((_, at) => `n${at}: node(id: $n${at}) { ... on ${type} { name: ${namedTypes[type]} } }`);
  return {
    query: `query (${parameters}) { ${fields.join(' ')} }`,
    variables: Object.fromEntries(ids.map((id, at) => [`n${at}`, id])),
  };
}

function idOf({ subjectType, subjectId }: NamelessSubject): string {
  return encodeId(subjectType, subjectId);
}
