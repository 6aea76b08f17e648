// The second step of a call: its backend and, if a mapping determines it, the object.

import type { Database } from '../../../../platform/database/database.ts';
import { visibleRow } from '../../../../platform/input/authorise.ts';
import { InputCheck } from '../../../../platform/input/input.ts';
import { refuseUnknown } from '../../../../platform/input/refusals.ts';
import type { BackendRow } from '../backends/backend.ts';
import { readBackend } from '../backends/backend-store.ts';
import { selectBackend } from '../backends/selector.ts';
import type { BackendManager } from '../holding/backend-manager.ts';
import type { MappingRow } from '../mappings/mapping.ts';
import { readMapping } from '../mappings/mapping-store.ts';
import { type CmpReference, cmpReferenceOf } from '../model/cmp-reference.ts';
import type { AdmittedCall } from './admit.ts';

export interface ChosenCall extends AdmittedCall {
  /** It may be outdated: the call is sent at once only while the backend is at its version. */
  readonly backend: BackendRow;
  readonly cmp: CmpReference | null;
  readonly shared: boolean;
  /** The selected one, if the call names a mapping. */
  readonly mapping: MappingRow | null;
}

/** Without a read: this process holds the backend. Undefined if it must be read. */
export function chooseHeld(manager: BackendManager, call: AdmittedCall): ChosenCall | undefined {
  const { backendSelection, input } = call.request;
  if (backendSelection.by !== 'selector' || input.dryRun === true) return undefined;
  const backend = manager.known(backendSelection.selector, call.projects);
  return backend && bySelector(call, backend);
}

/** Refuses NOT_FOUND, AMBIGUOUS or PROJECT_REQUIRED. */
export async function choose(db: Database, call: AdmittedCall): Promise<ChosenCall> {
  const { backendSelection, input } = call.request;
  if (backendSelection.by === 'mapping') return byMapping(db, call, backendSelection.mappingId);
  const cmp = cmpReferenceOf(input.cmpObject);
  const selection = { projectId: input.projectId, backend: backendSelection.selector, cmp };
  return bySelector(call, await selectBackend(db, call.context.identity, selection));
}

function bySelector(call: AdmittedCall, backend: BackendRow): ChosenCall {
  const { input } = call.request;
  return {
    ...call,
    projectId: backend.projectId,
    backend,
    cmp: cmpReferenceOf(input.cmpObject),
    shared: input.shared === true,
    mapping: null,
  };
}

async function byMapping(db: Database, call: AdmittedCall, mappingId: string): Promise<ChosenCall> {
  const named = { type: 'Mapping', id: mappingId, field: 'mappingId' };
  const mapping = await visibleRow(call.context.identity, new InputCheck(), named, (id) => readMapping(db, id));
  const backend = (await readBackend(db, mapping.backendId)) ?? refuseUnknown('Mapping', 'mappingId', mappingId);
  const { namespace, cmpType: type, cmpId: externalId, role, shared } = mapping;
  const cmp = { namespace, type, externalId, role };
  return { ...call, projectId: backend.projectId, backend, cmp, shared, mapping };
}
