// Checks the references of parts: pools of the same load balancer and certificates of the same project, which must exist and fit.

import type { Sql } from '../../../../platform/database/database.ts';
import { unknownId } from '../../../../platform/errors/errors.ts';
import { addFaults } from '../../../../platform/graph/described/input.ts';
import { referencesOf } from '../../../../platform/graph/described/spec.ts';
import { idFieldOf } from '../../../../platform/graph/described/text.ts';
import type { InputCheck } from '../../../../platform/input/input.ts';
import { encodeId } from '../../../../platform/values/ids.ts';
import type { BalancerRow } from '../../rules/rows.ts';
import { fitFaults } from '../../spec/fit.ts';
import { type PartKind, type PartSpec, refersById } from '../../spec/part-kind.ts';
import { liveCertificates } from '../certificates/certificate-store.ts';
import { type PartRow, type Reference, readParts } from '../stores/part-store.ts';

/** A part in its future state. */
export interface Placed {
  readonly kind: PartKind;
  readonly spec: PartSpec;
  /** Absent if the load balancer is its parent. */
  readonly parentSpec?: PartSpec | undefined;
  /** Path of the part in the input. Empty for the input itself. */
  readonly at: readonly string[];
}

interface ReferenceScope {
  readonly balancer: Pick<BalancerRow, 'id' | 'projectId'>;
  /** Pools that are created in the same request, by UUID. */
  readonly newPools?: ReadonlyMap<string, PartSpec>;
  /** Locks the certificates, so that they can't be deleted before the transaction ends. */
  readonly locked: boolean;
}

/** Adds a fault for each reference to something that does not exist or does not fit. */
export async function checkReferences(
  sql: Sql,
  check: InputCheck,
  placed: readonly Placed[],
  { balancer, newPools = new Map(), locked }: ReferenceScope,
): Promise<void> {
  const references = placed.flatMap((each) => referencesOf(each.kind, each.spec).map((one) => ({ ...each, ...one })));
  const idsOf = (type: string) => [...new Set(references.filter((one) => one.type === type).flatMap(({ ids }) => ids))];
  const certificates = await liveCertificates(sql, balancer.projectId, idsOf('TlsCertificate'), locked);
  const pools = await livePools(
    sql,
    balancer.id,
    idsOf('Pool').filter((id) => !newPools.has(id)),
  );
  for (const { kind, field, type, ids, at } of references) {
    const described = kind.fields[field];
    const isList = described?.type.startsWith('[') === true;
    const name = described === undefined ? field : idFieldOf(field, described);
    for (const [index, id] of ids.entries()) {
      // An unreadable id has its fault already.
      if (id === '' || certificates.has(id) || pools.has(id) || newPools.has(id)) continue;
      check.fault(
        [...at, name, ...(isList ? [String(index)] : [])].join('.'),
        unknownId(type, encodeId(type, id)),
        'NOT_FOUND',
      );
    }
  }
  const pool = (id: string) => newPools.get(id) ?? pools.get(id)?.spec;
  for (const { kind, spec, parentSpec: parent, at } of placed)
    addFaults(check, kind, spec, fitFaults(kind, spec, { parent, pool }), at, refersById(at));
}

/** The rows of a part's references. */
export function referenceRows(kind: PartKind, partId: string, spec: PartSpec): Reference[] {
  return referencesOf(kind, spec).flatMap(({ field, ids }) => ids.map((targetId) => ({ partId, field, targetId })));
}

async function livePools(sql: Sql, balancerId: string, ids: readonly string[]): Promise<ReadonlyMap<string, PartRow>> {
  const rows = [...(await readParts(sql, ids)).values()];
  const live = rows.filter((row) => row.kind === 'Pool' && row.loadBalancerId === balancerId && !row.deleted);
  return new Map(live.map((row) => [row.id, row]));
}
