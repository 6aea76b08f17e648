// A name of a zone and its content: fixed records, a policy that answers, both, or nothing (an empty non-terminal, RFC 4592
// section 2.2.2).
import type { NamePlan } from '../../policy/plan.ts';
import { type PreparedMaps, type PreparedName, prepareName } from '../../policy/prepare.ts';
import { staticFault } from '../../policy/static-answer.ts';
import { encodeAddress, types } from '../../wire/message.ts';
import { encodeName } from '../../wire/name.ts';
import type { RecordSet } from '../record-set.ts';

export interface NameNode {
  readonly key: string;
  /** Unique number for rate limiting. */
  readonly id: number;
  readonly fixed: ReadonlyMap<number, RecordSet>;
  /** One of the zone's name servers. It is answered from `fixed` alone, even without addresses. */
  readonly server: boolean;
  /** Policy that selects the answer. */
  readonly policy: Policy | undefined;
  /** The policy that answers after the name is no longer a name server's name. */
  readonly held: Policy | undefined;
  /** Number of names directly below it. */
  below: number;
}

export interface Policy {
  readonly name: PreparedName;
  /** Types that its answers may have, without CNAME, which is answered for all types or none. */
  readonly types: readonly number[];
  /** The data of its records for the wire, by their text. */
  readonly data: ReadonlyMap<string, Buffer>;
  /** By type: the answered addresses, if all clients get the same ones in the same order. Otherwise undefined. */
  readonly constant: Map<number, RecordSet> | undefined;
}

let nodes = 0;

export type NodeFields = Partial<Pick<NameNode, 'fixed' | 'server' | 'held'>>;

export function nameNode(key: string, fields: NodeFields & Partial<Pick<NameNode, 'below'>>): NameNode {
  nodes = (nodes + 1) | 0;
  const { fixed = new Map(), server = false, held, below = 0 } = fields;
  return { key, id: nodes, fixed, server, policy: server ? undefined : held, held, below };
}

/** Whether the map of clients that the name refers to was not there. */
export function isLost({ plan, map }: PreparedName): boolean {
  return plan.clientMapId !== null && map === undefined;
}

/** Without its client map, a name answers SERVFAIL, so that no client gets another region's answer. */
export function policyOf(plan: NamePlan, maps: PreparedMaps): Policy {
  const prepared = prepareName(plan, maps);
  const failing: NamePlan = { ...plan, pools: [], members: [], noneUp: { do: 'SERVFAIL' } };
  const name = isLost(prepared) ? { ...prepareName(failing, maps), plan } : prepared;
  const data = new Map<string, Buffer>();
  const listed = new Set<number>();
  const targets = plan.noneUp.do === 'CNAME' ? [plan.noneUp.target] : [];
  for (const { addresses, cname } of plan.members) {
    for (const address of addresses) {
      data.set(address, encodeAddress(address));
      listed.add(address.includes(':') ? types.AAAA : types.A);
    }
    if (cname !== null) targets.push(cname);
  }
  for (const target of targets) data.set(target, encodeName(target));
  const isFixed = staticFault(plan) === undefined && !plan.steps.some(({ step }) => step === 'SHUFFLE');
  const isConstant = isFixed && !isLost(name);
  return { name, types: [...listed], data, constant: isConstant ? new Map() : undefined };
}

/** Present types of the name, for a denial (RFC 9824 section 3.2). */
export function typesOf({ fixed, policy }: NameNode): readonly number[] {
  return [...new Set([...fixed.keys(), ...(policy?.types ?? [])])];
}
