// Query and output of status changes, shared by `list` and `follow`.

import type { StatusChangeFieldsFragment } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { cmpOption } from '../../cmp-object.ts';
import { projectId } from '../../find.ts';
import { anyObjectId } from '../../found-objects.ts';
import type { GraphClient } from '../../graph-client.ts';
import { several, text, type Values } from '../../option.ts';
import type { Printer } from '../../printer.ts';
import { commonOptions } from '../../remote-verb.ts';
import type { StatusFilter } from '../../status-stream.ts';

graphql(`
  fragment StatusChangeFields on StatusChange {
    changedAt kind subjectType subjectId subjectName subjectVersion from to reason requestId
  }
`);

export type StatusChange = StatusChangeFieldsFragment;

export const filterOptions = {
  kind: several('KIND', 'Only of this kind, for example relayOperation.state.'),
  subject: text('NAME', 'Only about this object, by name or id.'),
  'subject-type': several('TYPE', 'Only of subjects of this type, for example Mapping.'),
  cmp: cmpOption,
  project: commonOptions.project,
} as const;

export async function filterOf(client: GraphClient, options: Values<typeof filterOptions>): Promise<StatusFilter> {
  return {
    kinds: options.kind.length === 0 ? undefined : options.kind,
    subjectId: options.subject === undefined ? undefined : await anyObjectId(client, options.subject),
    subjectTypes: options['subject-type'].length === 0 ? undefined : options['subject-type'],
    cmpObject: options.cmp,
    projectId: await projectId(client, options.project),
  };
}

/** `name`: its subject's. */
export function changeLine(change: StatusChange, name: string, printer: Printer): string {
  const from = change.from === null || change.from === change.to ? '' : `${change.from} → `;
  const reason = change.reason === null ? '' : `  ${change.reason}`;
  const time = printer.colour(change.changedAt, 'grey');
  return `${time}  ${change.kind}  ${name}  ${from}${printer.status(change.to)}${reason}`;
}
