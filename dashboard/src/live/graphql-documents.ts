// A page's subscription and history: one text each, built from its kinds' fragments. Everyone with the same page open sends the
// same text, so that the gateway shares one execution between them.
import { StatusChangeFieldsFragmentDoc, TypedDocumentString } from '../../../generated/dashboard/graphql.ts';
import type { GraphqlDocument } from '../graph/request.ts';
import type { AnyKind, FeedItem, StatusChange } from './entity-kind.ts';

/** `name` is the page's: the operations' names begin with it. */
export function changesSubscription(
  name: string,
  kinds: readonly AnyKind[],
): GraphqlDocument<{ readonly statusChanges: FeedItem }, { readonly after: string }> {
  return new TypedDocumentString(`subscription ${operationName(name, 'Changes')}($after: String) {
  statusChanges(after: $after) { cursor kind change { ...ChangeFields } }
}
${changeFragments(kinds)}`);
}

export function historyQuery(
  name: string,
  kinds: readonly AnyKind[],
): GraphqlDocument<
  { readonly statusHistory: { readonly nodes: readonly StatusChange[] } },
  Readonly<Record<string, never>>
> {
  return new TypedDocumentString(`query ${operationName(name, 'History')} {
  statusHistory(first: 50) { nodes { ...ChangeFields } }
}
${changeFragments(kinds)}`);
}

/** `Relay` and `Changes` give RelayChanges. */
function operationName(page: string, what: string): string {
  return `${page.charAt(0).toUpperCase()}${page.slice(1)}${what}`;
}

function changeFragments(kinds: readonly AnyKind[]): string {
  const fragments = kinds.map(({ fragment }) => fragment.toString().trim());
  const spreads = fragments.map((text) => `...${text.split(/\s+/)[1]}`);
  return [
    `fragment ChangeFields on StatusChange {
  ...StatusChangeFields
  subject { __typename ${spreads.join(' ')} }
}`,
    StatusChangeFieldsFragmentDoc.toString().trim(),
    ...fragments,
  ].join('\n');
}
