// One backend in two lines: whether it is reachable, accepts calls, and is busy; below, the result of the last check.

import { memo } from 'react';
import { withoutCode } from '../../view/device-fault.tsx';
import { formatWord } from '../../view/format.ts';
import { Icon } from '../../view/icons.tsx';
import { Ago } from '../../view/time.tsx';
import type { Backend } from './kinds/backend.ts';
import { lockPath, type ShownStatus, StatusBadge } from './marks.tsx';
import { proofProblem } from './proof.ts';
import { Queue } from './queue.tsx';

interface BackendRowProps {
  readonly backend: Backend;
  readonly isOpen: boolean;
  readonly isTabStop: boolean;
  readonly isChosen: boolean;
  readonly onOpen: (id: string) => void;
}

export const BackendRow = memo(function BackendRow({ backend, isOpen, isTabStop, isChosen, onOpen }: BackendRowProps) {
  const { health, circuit } = backend;
  const problem = proofProblem(backend);
  return (
    <button
      type="button"
      className="row backend-row"
      data-row={backend.id}
      data-chosen={isChosen}
      aria-expanded={isOpen}
      tabIndex={isTabStop ? 0 : -1}
      onClick={() => onOpen(backend.id)}
    >
      <span className="line">
        <span className="name" title={backend.name}>
          {backend.name}
        </span>
        {circuit.state !== 'CLOSED' && (
          <span className="badge tone-bad solid">circuit {formatWord(circuit.state)}</span>
        )}
        {problem !== null && (
          <span className={`badge solid ${backend.presented === null ? 'tone-warn' : 'tone-bad'}`}>
            <Icon path={lockPath} />
            {problem}
          </span>
        )}
        <StatusBadge status={shownStatus(backend)} />
      </span>
      <span className="line facts">
        <span className="fact" title={health.message ?? undefined}>
          {health.message !== null && backend.operatingStatus !== 'ONLINE'
            ? withoutCode(health.message)
            : [formatWord(backend.family), backend.site, health.softwareVersion].filter(Boolean).join(' · ')}
        </span>
        <span className="check">
          {health.latencyMs !== null && <span>{health.latencyMs} ms</span>}
          {health.checkedAt === null ? (
            <span>not checked</span>
          ) : (
            <span>
              <span className="visually-hidden">checked </span>
              <Ago at={health.checkedAt} />
            </span>
          )}
        </span>
        <Queue queue={backend.queue} />
      </span>
    </button>
  );
});

export function shownStatus(backend: Backend): ShownStatus {
  return backend.enabled ? backend.operatingStatus : 'DISABLED';
}
