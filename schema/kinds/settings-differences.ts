// How the settings of an object and its parts differ from those of an earlier time: the changes since then, one after the other. Pure.
import { type JsonValue, sameJson } from '../../platform/values/json.ts';

interface Change {
  readonly field: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** As the graph has it. */
interface Version {
  readonly subjectId: string;
  readonly number: number;
  readonly mutation: string | null;
  readonly deleted: boolean;
  readonly changes: readonly Change[];
}

/** Of one object. */
export interface Difference<V extends Version> {
  readonly outcome: 'CREATED' | 'DELETED' | 'CHANGED';
  readonly changes: readonly V['changes'][number][];
  /** The first change since then: the version before it has the settings of that time. */
  readonly first: V;
  readonly last: V;
}

/** `versions`: those since then, oldest first. Changes that were taken back again are left out. */
export function differencesOf<V extends Version>(versions: readonly V[]): readonly Difference<V>[] {
  // Settings from before the first recorded change are no change.
  const since = versions.filter(({ number, mutation }) => number > 1 || mutation !== null);
  const bySubject = Map.groupBy(since, ({ subjectId }) => subjectId);
  return [...bySubject.values()].flatMap((own): Difference<V>[] => {
    const [first, last] = [own[0], own.at(-1)];
    if (first === undefined || last === undefined) return [];
    const isNew = first.number === 1;
    if (isNew && last.deleted) return [];
    if (isNew || last.deleted) return [{ outcome: isNew ? 'CREATED' : 'DELETED', changes: [], first, last }];
    const fields = new Map<string, V['changes'][number]>();
    for (const change of own.flatMap(({ changes }) => changes))
      fields.set(change.field, { ...change, before: (fields.get(change.field) ?? change).before });
    const changes = [...fields.values()].filter(
      ({ before, after }) => !sameJson(before as JsonValue, after as JsonValue),
    );
    return changes.length === 0 ? [] : [{ outcome: 'CHANGED', changes, first, last }];
  });
}
