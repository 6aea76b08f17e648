// The one table of failures that every client of Tidegate passes, ours and those of others.
import { callRows } from './calls.ts';
import type { FailureRow } from './row.ts';
import { streamRows } from './streams.ts';
import { waitRows } from './waits.ts';

export const failureTable: readonly FailureRow[] = [...callRows, ...waitRows, ...streamRows];
