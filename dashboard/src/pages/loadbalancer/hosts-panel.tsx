// The hosts of nodes, lost ones first. Only administrators see them.
import { memo, useCallback, useMemo } from 'react';
import { useEntities, useLiveState } from '../../context.ts';
import { openId } from '../../filters/filters.ts';
import { NoMatch } from '../../view/empty.tsx';
import { Panel } from '../../view/panel.tsx';
import { RowList } from '../../view/row-list.tsx';
import { Ago } from '../../view/time.tsx';
import { type BalancerControl, matchesHost } from './filters.ts';
import { type Host, hostKind } from './kinds/host.ts';
import { HostBadge } from './marks.tsx';

const collator = new Intl.Collator('en', { numeric: true });

export function HostsPanel({ control }: { readonly control: BalancerControl }) {
  const { viewer } = useLiveState();
  const hosts = useEntities(hostKind);
  const { filters, change } = control;
  const shown = useMemo(
    () =>
      [...hosts.values()]
        .filter((host) => matchesHost(filters.text, host))
        .sort((a, b) => rank(a) - rank(b) || collator.compare(a.name, b.name)),
    [hosts, filters.text],
  );
  const open = useCallback((id: string) => change({ open: { type: hostKind.typename, id } }), [change]);
  if (viewer?.admin !== true) return null;
  const lost = shown.filter(({ presence }) => presence === 'ABSENT').length;
  return (
    <Panel name="hosts" title="Hosts" summary={`${shown.length}${lost > 0 ? `, ${lost} not connected` : ''}`}>
      <div className="scroll">
        {shown.length > 0 ? (
          <RowList
            name="hosts"
            label="Hosts, unconnected first"
            items={shown}
            idOf={({ id }) => id}
            openId={openId(filters, hostKind)}
          >
            {(host, row) => <HostRow host={host} {...row} onOpen={open} />}
          </RowList>
        ) : hosts.size > 0 ? (
          <NoMatch what="host" onClear={control.clear} />
        ) : (
          <p className="hint">
            No hosts yet. <code>tidegate join</code> adds one.
          </p>
        )}
      </div>
    </Panel>
  );
}

interface HostRowProps {
  readonly host: Host;
  readonly isOpen: boolean;
  readonly isTabStop: boolean;
  readonly onOpen: (id: string) => void;
}

const HostRow = memo(function HostRow({ host, isOpen, isTabStop, onOpen }: HostRowProps) {
  const { id, name, site, nodeCount, hostMaxNodes } = host;
  return (
    <button
      type="button"
      className="row host-row"
      data-row={id}
      aria-expanded={isOpen}
      tabIndex={isTabStop ? 0 : -1}
      onClick={() => onOpen(id)}
    >
      <span className="name" title={name}>
        {name}
      </span>
      <span className="where dim">{site}</span>
      <span>
        {nodeCount}/{hostMaxNodes} nodes
        {host.presence === 'ABSENT' && (
          <span className="dim">
            , last seen <Ago at={host.heardAt} />
          </span>
        )}
      </span>
      <span className="badges">
        <HostBadge host={host} />
      </span>
    </button>
  );
});

function rank({ presence, cordoned }: Host): number {
  if (presence === 'ABSENT') return 0;
  return cordoned ? 1 : 2;
}
