// The port of the query planner, and the plans that it makes. A planner gets one operation without fragment definitions and without
// @skip and @include (internal-names.ts).

export type PlanNode =
  | FetchNode
  | BatchFetchNode
  | { readonly kind: 'Sequence' | 'Parallel'; readonly nodes: readonly PlanNode[] }
  | FlattenNode
  | { readonly kind: 'Subscription'; readonly primary: FetchNode };

interface SubgraphRequest {
  readonly serviceName: string;
  readonly operation: string;
  readonly operationName?: string | null;
  readonly variableUsages?: readonly string[] | null;
}

/** Fields of an entity's representation, with the names that change in it and in the answer. */
export interface EntitySelection {
  readonly requires?: readonly RequiredSelection[] | null;
  readonly inputRewrites?: readonly Rewrite[] | null;
  readonly outputRewrites?: readonly Rewrite[] | null;
}

export interface FetchNode extends SubgraphRequest, EntitySelection {
  readonly kind: 'Fetch';
}

/** Entities of several places in one request, each group under a separate alias. */
export interface BatchFetchNode extends SubgraphRequest {
  readonly kind: 'BatchFetch';
  readonly entityBatch: {
    readonly aliases: readonly (EntitySelection & {
      readonly alias: string;
      readonly representationsVariableName: string;
      readonly paths: readonly (readonly PathSegment[])[];
    })[];
  };
}

interface FlattenNode {
  readonly kind: 'Flatten';
  readonly path: readonly PathSegment[];
  readonly node: PlanNode;
}

/** `@`: each item of a list. */
export type PathSegment = { readonly Field: string } | { readonly TypeCondition: readonly string[] } | '@';

export type RequiredSelection =
  | {
      readonly kind: 'Field';
      /** Its name in the answers so far. */
      readonly name: string;
      /** Its name in the representation, if it differs. */
      readonly alias?: string | null;
      readonly selections?: readonly RequiredSelection[] | null;
    }
  | {
      readonly kind: 'InlineFragment';
      readonly typeCondition: string;
      readonly selections: readonly RequiredSelection[];
    };

export type RewriteSegment = { readonly TypenameEquals: readonly string[] } | { readonly Key: string };

export type Rewrite =
  | { readonly ValueSetter: { readonly path: readonly RewriteSegment[]; readonly setValueTo: unknown } }
  | { readonly KeyRenamer: { readonly path: readonly RewriteSegment[]; readonly renameKeyTo: string } };

export interface Planner {
  /** The plan of the only operation in `text`. Undefined if it needs no subgraph. Throws a CodedError when there is none. */
  plan(text: string): Promise<PlanNode | undefined>;
}
