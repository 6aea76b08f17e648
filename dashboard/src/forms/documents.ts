// All documents that forms send, made from the registry. The build publishes them together with the documents of pages. No DOM here.
import { type RefusalFragment, TypedDocumentString } from '../../../generated/dashboard/graphql.ts';
import { registry } from '../../../generated/kinds/registry.ts';
import type { JsonObject } from '../../../platform/values/json.ts';
import {
  actionDocument,
  childrenDocument,
  listDocument,
  namingSelection,
  oneDocument,
} from '../../../schema/kinds/documents.ts';
import { type Action, type Kind, upperFirst } from '../../../schema/kinds/kind.ts';
import type { GraphqlDocument } from '../graph/request.ts';

type Found = Readonly<Record<string, unknown>>;
interface Made {
  readonly made?: JsonObject | null;
  readonly userErrors: readonly RefusalFragment[];
  readonly [secret: string]: unknown;
}

function documentOf<Data, Variables>(text: string): GraphqlDocument<Data, Variables> {
  return new TypedDocumentString<Data, Variables>(text) as GraphqlDocument<Data, Variables>;
}

export interface PickedPage {
  readonly nodes: readonly JsonObject[];
  readonly pageInfo: { readonly hasNextPage: boolean };
}

/** The filter of a list that looks for a text. */
export function textFilter({ list }: Kind): string | undefined {
  return ['text', 'prefix'].find((each) => list?.filters.some(({ name }) => name === each));
}

/** Objects of a kind with a list, by a text. */
export function pickDocument(kind: Kind): GraphqlDocument<{ readonly found: PickedPage }, Found> {
  const filter = textFilter(kind);
  return documentOf(
    listDocument(registry, kind, filter === undefined ? [] : [filter], namingSelection(registry, kind)),
  );
}

/** Parts of an object. */
export function pickPartDocument(
  kind: Kind,
): GraphqlDocument<
  { readonly of: { readonly found?: JsonObject | PickedPage | readonly JsonObject[] | null } | null },
  Found
> {
  return documentOf(childrenDocument(registry, kind, namingSelection(registry, kind)));
}

/** Reads an object with all fields that its form shows. */
export function readDocument(
  kind: Kind,
): GraphqlDocument<{ readonly found: JsonObject | null }, { readonly id: string }> {
  return documentOf(oneDocument(registry, kind));
}

/** Reads an object's name and parents. */
export function nameDocument(
  kind: Kind,
): GraphqlDocument<{ readonly found: JsonObject | null }, { readonly id: string }> {
  const text = oneDocument(registry, kind, namingSelection(registry, kind));
  return documentOf(text.replace(`${kind.type}One(`, `${kind.type}Name(`));
}

export function formDocument(
  kind: Kind,
  action: Action,
): GraphqlDocument<{ readonly done: Made }, { readonly input: JsonObject }> {
  const selection = namingSelection(registry, kind) || '__typename';
  return documentOf(
    actionDocument(registry, kind, action, { selection, errors: 'code message field retry retryAfterMs' }),
  );
}

interface CallMade {
  readonly operation?: {
    readonly id: string;
    readonly state: string;
    readonly deviceError: { readonly code: string; readonly message: string } | null;
  } | null;
  /** Only in the answer to a dry run. */
  readonly wireCall?: string | null;
  readonly deviceCheck?: { readonly code: string; readonly message: string } | null;
  readonly userErrors: readonly RefusalFragment[];
}

export function callDocument({
  mutation,
  input,
}: Action): GraphqlDocument<{ readonly done: CallMade }, { readonly input: JsonObject }> {
  return documentOf(`mutation ${upperFirst(mutation)}($input: ${input}!) {
  done: ${mutation}(input: $input) {
    operation { id state deviceError { code message } } wireCall deviceCheck { code message }
    userErrors { code message field retry retryAfterMs }
  }
}`);
}

export function formDocuments(): readonly string[] {
  const ofCalls = Object.values(registry.calls).map(callDocument);
  const ofKinds = Object.values(registry.kinds).flatMap((kind) => [
    ...(kind.list === undefined ? [] : [pickDocument(kind)]),
    ...(kind.parent === undefined ? [] : [pickPartDocument(kind)]),
    ...(kind.node ? [readDocument(kind), nameDocument(kind)] : []),
    ...Object.values(kind.actions).map((action) => formDocument(kind, action)),
  ]);
  return [...ofKinds, ...ofCalls].map(String);
}
