// Versions of settings in the graph: their object and its changes.
import type { VersionFieldsFragment } from '../generated/cli/graphql.ts';
import { graphql } from '../generated/cli/index.ts';
import { registry } from '../generated/kinds/registry.ts';
import { actorText } from './actor.ts';
import { shownId } from './short-id.ts';

graphql(`
  fragment VersionFields on ConfigurationVersion {
    id number subjectType subjectId subjectName changedAt actor { name kind } mutation requestId deleted secretFieldsSet
    changes { field before after }
  }
`);

export type Version = VersionFieldsFragment;

export function whoOf({ actor }: Version): string | null {
  return actor === null ? null : actorText(actor);
}

/** `pool default`: the kind in words, and the name. */
export function subjectText({ subjectType, subjectName }: Pick<Version, 'subjectType' | 'subjectName'>): string {
  const kind = registry.kinds[subjectType]?.singular ?? subjectType;
  return `${kind} ${subjectName}`;
}

const longestValue = 60;
const mostFields = 4;

/** The change in one line. */
export function changeText(version: Version): string {
  const { changes, deleted, mutation, number, secretFieldsSet } = version;
  if (deleted) return 'deleted';
  if (number === 1) return mutation === null ? 'as it was before its first recorded change' : 'created';
  const shown = changes.slice(0, mostFields).map((each) => fieldText(each));
  const more = changes.length > mostFields ? [`${changes.length - mostFields} more`] : [];
  return [...shown, ...more, ...secretFieldsSet.map((field) => `${field} set`)].join(', ');
}

/** `minNodes 2 → 3`. */
export function fieldText({ field, before, after }: Version['changes'][number], longest = longestValue): string {
  return `${field} ${valueText(before, longest)} → ${valueText(after, longest)}`;
}

function valueText(value: unknown, longest: number): string {
  if (value === null || value === undefined) return 'none';
  const text =
    typeof value === 'string'
      ? shownId(value)
      : JSON.stringify(value, (_, each) => (typeof each === 'string' ? shownId(each) : each));
  if (text === '') return "''";
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}
