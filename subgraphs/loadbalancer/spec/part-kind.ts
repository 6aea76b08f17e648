// A kind of part of a load balancer: listener, pool, member, and so on. Each is described once. Its types in the graph, the checks of its
// input, its stored form and its form in a node's document all follow from that description.
import type { DescribedField, DescribedKind, DescribedSpec } from '../../../platform/graph/described/kind.ts';
import type { Field } from '../../../platform/graph/fields.ts';

/** Kinds in order of creation: a part refers only to parts of earlier kinds. */
export const partNames = ['Pool', 'PoolMember', 'PoolHealthMonitor', 'Listener', 'L7Policy', 'L7Rule'] as const;
export type PartName = (typeof partNames)[number];

export interface PartField extends DescribedField {
  readonly refersTo?: PartName | 'TlsCertificate';
  /** The attribute in Octavia. Absent if there is none. */
  readonly octavia?: string;
}

export type PartSpec = DescribedSpec;

export interface PartKind extends DescribedKind {
  readonly name: PartName;
  readonly parent: PartName | 'LoadBalancer';
  readonly fields: Readonly<Record<string, PartField>>;
  /** The largest number of parts of this kind in one parent. */
  readonly most: number;
}

/** The field of the parent, in the graph and in a tree, that holds the parts of a kind. */
export const childFields: Readonly<Record<PartName, string>> = {
  Pool: 'pools',
  PoolMember: 'members',
  PoolHealthMonitor: 'healthMonitor',
  Listener: 'listeners',
  L7Policy: 'l7Policies',
  L7Rule: 'l7Rules',
};

type Extra = Pick<PartField, 'default' | 'fixed' | 'refersTo' | 'octavia'>;

/** @example part(portField('Its port.'), { octavia: 'protocol_port', fixed: true }) */
export function part(field: Field, extra: Extra = {}): PartField {
  return { ...field, ...extra };
}

/** Whether a part at this path of an input refers to other parts by id. In a tree they are named instead. The path of the input itself is empty. */
export function refersById(at: readonly string[]): (field: DescribedField) => boolean {
  return ({ refersTo }) => refersTo === 'TlsCertificate' || at.length === 0;
}
