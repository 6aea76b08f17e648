// The provisioning status of an object.
import { type Mark, MarkBadge, shapes } from './icons.tsx';

const marks = {
  ACTIVE: { tone: 'good', path: shapes.check },
  PENDING: { tone: 'busy', path: shapes.clock },
  ERROR: { tone: 'bad', path: shapes.cross },
  DELETING: { tone: 'warn', path: shapes.drain },
  DELETED: { tone: 'calm', path: shapes.dash },
} as const satisfies Readonly<Record<string, Mark>>;

/** Shows nothing while everything requested is in effect. */
export function ProvisioningBadge({ status }: { readonly status: keyof typeof marks }) {
  if (status === 'ACTIVE') return null;
  return <MarkBadge mark={marks[status]} word={status === 'ERROR' ? 'change failed' : status} />;
}
