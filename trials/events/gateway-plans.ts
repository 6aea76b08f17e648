// The request of each client in the gateway's trial, and the table rows that it should get, written separately for the judge.
import { encodeId } from '../../platform/values/ids.ts';
import type { TableRow } from './verdict.ts';
import { kinds, subjectType } from './writers.ts';

export interface ReaderPlan {
  /** Arguments of statusChanges. */
  readonly filter: Readonly<Record<string, unknown>>;
  /** Selected in addition to what the log needs. Empty for none. */
  readonly fields: string;
  readonly wants: (row: TableRow) => boolean;
  /** Without a cursor. */
  readonly fromNow: boolean;
  /** It is dropped only together with all others and with the gateway. */
  readonly steady: boolean;
}

/** Some share a request, and therefore a stream. Some select more, which takes longer. The first client reads everything. */
export function planOf(index: number, projectId: string, subjects: readonly string[]): ReaderPlan {
  const kind = kinds[index % kinds.length] ?? kinds[0];
  const subjectId = subjects[index % subjects.length] ?? '';
  const asks: Pick<ReaderPlan, 'filter' | 'wants'>[] = [
    { filter: {}, wants: () => true },
    { filter: { kinds: [kind] }, wants: (row) => row.kind === kind },
    { filter: { projectId: encodeId('Project', projectId) }, wants: () => true },
    {
      filter: { subjectTypes: [subjectType], kinds: [kinds[0], kinds[2]] },
      wants: (row) => row.kind === kinds[0] || row.kind === kinds[2],
    },
    { filter: { subjectId: encodeId(subjectType, subjectId) }, wants: (row) => row.subjectId === subjectId },
  ];
  const ask = asks[index % asks.length];
  if (ask === undefined) throw new Error('there is nothing to ask');
  const fields = index % 8 === 7 ? 'from to reason project { id name }' : '';
  return { ...ask, fields, fromNow: index % 4 === 3, steady: index % 4 === 2 };
}
