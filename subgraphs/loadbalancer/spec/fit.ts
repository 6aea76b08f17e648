// Checks that parts fit together: a listener with its pool, an L7 policy with its listener and pool. Their protocols never change.
import type { SchemaFault } from '../../../platform/input/json-schema.ts';
import type { PartKind, PartSpec } from './part-kind.ts';

interface Around {
  /** Absent if the load balancer is the parent. */
  readonly parent?: PartSpec | undefined;
  /** The settings of a pool (UUID). Undefined if unknown. */
  pool(id: string): PartSpec | undefined;
}

const opened = ['HTTP', 'TERMINATED_HTTPS'];

/** Faults of a part whose own fields are valid. */
export function fitFaults({ name }: PartKind, spec: PartSpec, { parent, pool }: Around): readonly SchemaFault[] {
  if (name === 'Listener') return poolFault('defaultPool', spec, String(spec.protocol), pool);
  if (name !== 'L7Policy') return [];
  const protocol = String(parent?.protocol);
  if (parent !== undefined && !opened.includes(protocol))
    return [{ path: ['action'], message: `is for listeners of ${opened.join(' and ')}; this one is ${protocol}` }];
  return poolFault('redirectPool', spec, 'HTTP', pool);
}

function poolFault(field: string, spec: PartSpec, protocol: string, pool: Around['pool']): SchemaFault[] {
  const id = spec[field];
  const found = typeof id === 'string' ? pool(id) : undefined;
  if (found === undefined) return [];
  const isOpened = opened.includes(protocol);
  if (isOpened === (found.memberProtocol !== 'TCP')) return [];
  const wanted = isOpened ? 'HTTP or HTTP2' : 'TCP';
  return [
    {
      path: [field],
      message: `names a pool of protocol ${String(found.memberProtocol)}; a listener of protocol ${protocol} needs one of ${wanted}`,
    },
  ];
}
