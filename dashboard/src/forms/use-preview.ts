// Previews a change of a load balancer's nodes or of DNS answers while the user types.
import { useEffect, useState } from 'react';
import {
  FormAnswersDocument,
  type FormAnswersQuery,
  type FormAnswersQueryVariables,
  FormPreviewDocument,
  type FormPreviewQuery,
  type FormPreviewQueryVariables,
} from '../../../generated/dashboard/graphql.ts';
import { registry } from '../../../generated/kinds/registry.ts';
import { isObject, type JsonObject } from '../../../platform/values/json.ts';
import type { Action } from '../../../schema/kinds/kind.ts';
import { useDependencies } from '../context.ts';
import { keepTrying } from '../graph/keep-trying.ts';
import type { Requester } from '../graph/request.ts';
import { nameDocument } from './documents.ts';
import { kindNamed } from './names.ts';
import { previewOf } from './previewed.ts';

export type NodesPreview = NonNullable<FormPreviewQuery['loadBalancerPreview']>;
export type AnswersPreview = NonNullable<FormAnswersQuery['gslbPreview']>;
export type Preview =
  | { readonly of: 'nodes'; readonly nodes: NodesPreview }
  | { readonly of: 'answers'; readonly answers: AnswersPreview };

const pauseMs = 600;

/** `change`: the input of the mutation, as it would be sent; undefined while it has faults. */
export function usePreview(
  action: Action,
  places: Readonly<Record<string, string>>,
  change: JsonObject | undefined,
): Preview | undefined {
  const { requester } = useDependencies();
  const [preview, setPreview] = useState<Preview | undefined>();
  const text = change === undefined ? undefined : JSON.stringify(change);
  const place = JSON.stringify(places);
  useEffect(() => {
    setPreview(undefined);
    if (text === undefined) return;
    const left = new AbortController();
    const [where, change] = [JSON.parse(place) as Record<string, string>, JSON.parse(text) as JsonObject];
    const timer = setTimeout(() => {
      keepTrying(() => readPreview(requester, action, where, change), left.signal).then(
        (read) => left.signal.aborted || setPreview(read),
        () => undefined,
      );
    }, pauseMs);
    return () => {
      left.abort();
      clearTimeout(timer);
    };
  }, [requester, action, place, text]);
  return preview;
}

async function readPreview(
  requester: Requester,
  action: Action,
  places: Readonly<Record<string, string>>,
  change: JsonObject,
): Promise<Preview | undefined> {
  const { mutation } = action;
  if (previewOf(action) === 'answers') {
    const variables = { change: { [mutation]: change } } as unknown as FormAnswersQueryVariables;
    const { gslbPreview } = await requester.request(FormAnswersDocument, variables);
    return gslbPreview === null ? undefined : { of: 'answers', answers: gslbPreview };
  }
  const id = await balancerOf(requester, places);
  if (id === undefined) return undefined;
  const variables = { id, change: { [mutation]: change } } as unknown as FormPreviewQueryVariables;
  const { loadBalancerPreview } = await requester.request(FormPreviewDocument, variables);
  return loadBalancerPreview === null ? undefined : { of: 'nodes', nodes: loadBalancerPreview };
}

/** From a part to the load balancer that it is in. */
async function balancerOf(requester: Requester, places: Readonly<Record<string, string>>): Promise<string | undefined> {
  if (places.LoadBalancer !== undefined) return places.LoadBalancer;
  for (const type of ['Pool', 'Listener', 'L7Policy']) {
    const [kind, id] = [kindNamed(type), places[type]];
    const parent = kind?.parent;
    if (kind === undefined || parent === undefined || id === undefined) continue;
    const { found } = await requester.request(nameDocument(kind), { id });
    const of = found?.[parent.link];
    if (isObject(of) && typeof of.id === 'string') return balancerOf(requester, { [parent.kind]: of.id });
  }
  return undefined;
}

/** The change without what only a mutation takes. */
export function changeOf({ input }: Action, whole: JsonObject): JsonObject {
  const known = new Set(registry.inputs[input]?.fields.map(({ name }) => name));
  return Object.fromEntries(Object.entries(whole).filter(([name]) => known.has(name) && name !== 'idempotencyKey'));
}
