// The backends, those with problems first.
import { useCallback, useMemo } from 'react';
import { useEntities, useLiveState } from '../../context.ts';
import { openId } from '../../filters/filters.ts';
import { NoMatch } from '../../view/empty.tsx';
import { Link } from '../../view/link.tsx';
import { Panel } from '../../view/panel.tsx';
import { RowList } from '../../view/row-list.tsx';
import { BackendRow, shownStatus } from './backend-row.tsx';
import { NoBackends } from './empty.tsx';
import { matchesBackend, type RelayControl } from './filters.ts';
import { type Backend, backendKind } from './kinds/backend.ts';

const collator = new Intl.Collator('en', { numeric: true });

export function BackendsPanel({ control }: { readonly control: RelayControl }) {
  const { cursor } = useLiveState();
  const backends = useEntities(backendKind);
  const { filters, change } = control;
  const shown = useMemo(
    () =>
      [...backends.values()]
        .filter((backend) => matchesBackend(filters, backend))
        .sort((a, b) => rank(a) - rank(b) || collator.compare(a.name, b.name)),
    [backends, filters],
  );
  const open = useCallback((id: string) => change({ open: { type: backendKind.typename, id } }), [change]);
  return (
    <Panel
      name="backends"
      title="Backends"
      summary={summarise(shown)}
      tools={
        <Link className="form-link" href="/register">
          Register a backend
        </Link>
      }
    >
      <div className="scroll">
        {shown.length > 0 && (
          <RowList
            name="backends"
            label="Backends, those in trouble first"
            items={shown}
            idOf={(backend) => backend.id}
            openId={openId(filters, backendKind)}
          >
            {(backend, row) => (
              <BackendRow backend={backend} {...row} isChosen={backend.id === filters.backendId} onOpen={open} />
            )}
          </RowList>
        )}
        {shown.length === 0 &&
          cursor !== null &&
          (backends.size === 0 ? <NoBackends /> : <NoMatch what="backend" onClear={control.clear} />)}
      </div>
    </Panel>
  );
}

function rank(backend: Backend): number {
  const status = shownStatus(backend);
  if (status === 'OFFLINE') return 0;
  if (status === 'DISABLED') return 4;
  if (backend.circuit.state !== 'CLOSED' || backend.presented !== null) return 1;
  return status === 'UNKNOWN' ? 2 : 3;
}

function summarise(backends: readonly Backend[]): string {
  const count = (label: string, is: (backend: Backend) => boolean): string | null => {
    const number = backends.filter(is).length;
    return number === 0 ? null : `${number} ${label}`;
  };
  return [
    count('offline', (backend) => shownStatus(backend) === 'OFFLINE'),
    count('with open circuit', (backend) => backend.circuit.state === 'OPEN'),
    count('not trusted', (backend) => backend.presented !== null),
    count('unknown', (backend) => shownStatus(backend) === 'UNKNOWN'),
    count('online', (backend) => shownStatus(backend) === 'ONLINE'),
    count('disabled', (backend) => shownStatus(backend) === 'DISABLED'),
  ]
    .filter(Boolean)
    .join(' · ');
}
