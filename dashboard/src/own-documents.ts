// The texts of all documents that the dashboard sends: its build lists their hashes, so that a gateway knows them
// (`operations.accept`). A new page with entity kinds has a line here.
import * as generated from '../../generated/dashboard/graphql.ts';
import type { AnyKind } from './live/entity-kind.ts';
import { changesSubscription, historyQuery } from './live/graphql-documents.ts';
import { kinds as gslb } from './pages/gslb/kinds.ts';
import { kinds as loadbalancer } from './pages/loadbalancer/kinds.ts';
import { kinds as objects } from './pages/objects/kinds.ts';
import { kinds as relay } from './pages/relay/kinds.ts';

/** By the name of the page. */
export const kindsOfPages: Readonly<Record<string, readonly AnyKind[]>> = {
  relay,
  loadbalancer,
  gslb,
  objects,
  hosts: [],
};

export function ownDocuments(): readonly string[] {
  const written = Object.entries(generated).filter(([name]) => name.endsWith('Document'));
  const live = Object.entries(kindsOfPages).flatMap(([name, kinds]) => [
    changesSubscription(name, kinds),
    historyQuery(name, kinds),
  ]);
  return [...written.map(([, document]) => document), ...live].map(String);
}
