// The texts of all documents that the dashboard sends: its build lists their hashes, so that a gateway knows them
// (`operations.accept`). A new page with entity kinds has a line here.
import * as generated from '../../generated/dashboard/graphql.ts';
import { formDocuments } from './forms/documents.ts';
import type { Subjects } from './live/entity-kind.ts';
import { changesSubscription, historyQuery } from './live/graphql-documents.ts';
import { subjects as alerts } from './pages/alerts/kinds.ts';
import { subjects as audit } from './pages/audit/kinds.ts';
import { subjects as backend } from './pages/backend/kinds.ts';
import { subjects as cmp } from './pages/cmp/kinds.ts';
import { subjects as container } from './pages/container/kinds.ts';
import { subjects as deleted } from './pages/deleted/kinds.ts';
import { subjects as form } from './pages/form/kinds.ts';
import { subjects as gslb } from './pages/gslb/kinds.ts';
import { subjects as hosts } from './pages/hosts/kinds.ts';
import { subjects as loadbalancer } from './pages/loadbalancer/kinds.ts';
import { subjects as objects } from './pages/objects/kinds.ts';
import { subjects as people } from './pages/people/kinds.ts';
import { subjects as register } from './pages/register/kinds.ts';
import { subjects as relay } from './pages/relay/kinds.ts';
import { variants as start } from './pages/start/kinds.ts';

/** By the name of the page; the start page sends another text where the deployment has fewer parts. */
export const subjectsOfPages: Readonly<Record<string, readonly Subjects[]>> = {
  start,
  relay: [relay],
  loadbalancer: [loadbalancer],
  gslb: [gslb],
  objects: [objects],
  hosts: [hosts],
  backend: [backend],
  cmp: [cmp],
  container: [container],
  deleted: [deleted],
  form: [form],
  alerts: [alerts],
  audit: [audit],
  people: [people],
  register: [register],
};

export function ownDocuments(): readonly string[] {
  const written = Object.entries(generated).filter(([name]) => name.endsWith('Document'));
  const live = Object.entries(subjectsOfPages).flatMap(([name, variants]) =>
    variants.flatMap((subjects) => [changesSubscription(name, subjects), historyQuery(name, subjects)]),
  );
  return [...written.map(([, document]) => document), ...live, ...formDocuments()].map(String);
}
