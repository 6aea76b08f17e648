// A page's subscription and history: one text each, built from its kinds' fragments. Everyone with the same page open sends the
// same text, so that the gateway shares one execution between them.
import { StatusChangeFieldsFragmentDoc, TypedDocumentString } from '../../../generated/dashboard/graphql.ts';
import type { GraphqlDocument } from '../graph/request.ts';
import type { FeedItem, StatusChange, Subjects } from './entity-kind.ts';

/** `name` is the page's: the operations' names begin with it. */
export function changesSubscription(
  name: string,
  subjects: Subjects,
): GraphqlDocument<{ readonly statusChanges: FeedItem }, { readonly after: string }> {
  return new TypedDocumentString(`subscription ${operationName(name, 'Changes')}($after: String) {
  statusChanges(after: $after, ${filterOf(subjects)}) { cursor kind change { ...ChangeFields } }
}
${changeFragments(subjects)}`);
}

export function historyQuery(
  name: string,
  subjects: Subjects,
): GraphqlDocument<
  { readonly statusHistory: { readonly nodes: readonly StatusChange[] } },
  Readonly<Record<string, never>>
> {
  return new TypedDocumentString(`query ${operationName(name, 'History')} {
  statusHistory(first: 50, ${filterOf(subjects)}) { nodes { ...ChangeFields } }
}
${changeFragments(subjects)}`);
}

/** `Relay` and `Changes` give RelayChanges. */
function operationName(page: string, what: string): string {
  return `${page.charAt(0).toUpperCase()}${page.slice(1)}${what}`;
}

/** The filter is in the text: a page always sends the same. */
function filterOf({ kinds, others = [], eventKinds }: Subjects): string {
  const list = (names: readonly string[]): string => `[${names.map((name) => `"${name}"`).join(', ')}]`;
  if (eventKinds !== undefined) return `kinds: ${list(eventKinds)}`;
  return `subjectTypes: ${list([...kinds, ...others].map(({ typename }) => typename))}`;
}

function changeFragments({ kinds, others = [] }: Subjects): string {
  const fragments = kinds.map(({ fragment }) => fragment.toString().trim());
  const spreads = [
    ...fragments.map((text) => `...${text.split(/\s+/)[1]}`),
    ...others.flatMap(({ typename, nameField, ofField }) => [
      ...(nameField === undefined ? [] : [`... on ${typename} { subjectName: ${nameField} }`]),
      ...(ofField === undefined ? [] : [`... on ${typename} { subjectOf: ${ofField} { id name } }`]),
    ]),
  ];
  return [
    `fragment ChangeFields on StatusChange {
  ...StatusChangeFields
  subject { __typename ${spreads.join(' ')} }
}`,
    StatusChangeFieldsFragmentDoc.toString().trim(),
    ...fragments,
  ].join('\n');
}
