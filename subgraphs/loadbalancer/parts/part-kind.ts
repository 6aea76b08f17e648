// A kind of part of a load balancer: listener, pool, member, and so on. Each is described once; its types in the graph, the check of its
// input, its stored form and what a node is told of it all follow from that description.
import type { DescribedField, DescribedKind, DescribedSpec } from '../../../platform/graph/described/kind.ts';
import type { Field } from '../../../platform/graph/fields.ts';

/** In the order in which they are created: a part refers only to parts of earlier kinds. */
export const partNames = ['Pool', 'Member', 'HealthMonitor', 'Listener', 'L7Policy', 'L7Rule'] as const;
export type PartName = (typeof partNames)[number];

export interface PartField extends DescribedField {
  readonly refersTo?: PartName | 'TlsCertificate';
  /** Octavia's attribute. Absent: it has none. Its values in `notOffered` are Octavia's. */
  readonly octavia?: string;
}

export type PartSpec = DescribedSpec;

export interface PartKind extends DescribedKind {
  readonly name: PartName;
  readonly parent: PartName | 'LoadBalancer';
  readonly fields: Readonly<Record<string, PartField>>;
  /** At most so many in one parent. */
  readonly most: number;
}

type Extra = Pick<PartField, 'default' | 'fixed' | 'refersTo' | 'octavia' | 'notOffered'>;

/** @example part(portField('Its port.'), { octavia: 'protocol_port', fixed: true }) */
export function part(field: Field, extra: Extra = {}): PartField {
  return { ...field, ...extra };
}

/** Whether a part at this path of an input (empty: the input itself) refers by id: parts of a tree are named. */
export function refersById(at: readonly string[]): (field: DescribedField) => boolean {
  return ({ refersTo }) => refersTo === 'TlsCertificate' || at.length === 0;
}
