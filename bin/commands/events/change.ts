// Query and output of status changes, the same for `list` and `follow`.
import type { StatusChangeFieldsFragment, StatusStreamSubscriptionVariables } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { projectId } from '../../cli/find.ts';
import type { GraphClient } from '../../cli/graph-client.ts';
import { several, text, type Values } from '../../cli/option.ts';
import type { Printer } from '../../cli/printer.ts';
import { commonOptions } from '../../cli/remote-verb.ts';

graphql(`
  fragment StatusChangeFields on StatusChange {
    at kind subjectType subjectId subjectVersion from to reason requestId
  }
`);

export type StatusChange = StatusChangeFieldsFragment;

export type StatusFilter = Omit<StatusStreamSubscriptionVariables, 'after'>;

export const filterOptions = {
  kind: several('KIND', 'Only of this kind, for example relayOperation.state.'),
  subject: text('ID', 'Only of this subject.'),
  project: commonOptions.project,
} as const;

export async function filterOf(client: GraphClient, options: Values<typeof filterOptions>): Promise<StatusFilter> {
  return {
    kinds: options.kind.length === 0 ? undefined : options.kind,
    subjectId: options.subject,
    projectId: await projectId(client, options.project),
  };
}

/** `name`: of its subject. */
export function changeLine(change: StatusChange, name: string, printer: Printer): string {
  const from = change.from === null ? '' : `${change.from} → `;
  const reason = change.reason === null ? '' : `  ${change.reason}`;
  const time = printer.colour(change.at, 'grey');
  return `${time}  ${change.kind}  ${name}  ${from}${printer.status(change.to)}${reason}`;
}
