// One operation in one line: its progress, time, name, CMP object, backend, and result.
import { memo } from 'react';
import type { RelayOperationSource } from '../../../../generated/dashboard/graphql.ts';
import { DeviceFault } from '../../view/device-fault.tsx';
import { formatDuration } from '../../view/format.ts';
import { Time } from '../../view/time.tsx';
import type { Operation } from './kinds/operation.ts';
import { StateBadge } from './marks.tsx';
import { What } from './what.tsx';

interface OperationRowProps {
  readonly operation: Operation;
  readonly isOpen: boolean;
  readonly isTabStop: boolean;
  readonly onOpen: (id: string) => void;
}

export const OperationRow = memo(function OperationRow({ operation, isOpen, isTabStop, onOpen }: OperationRowProps) {
  const { id, state, name, backend, cmpObject } = operation;
  return (
    <button
      type="button"
      className="row operation-row"
      data-row={id}
      data-state={state}
      aria-expanded={isOpen}
      tabIndex={isTabStop ? 0 : -1}
      onClick={() => onOpen(id)}
    >
      <StateBadge state={state} />
      <span className="when">
        <Time at={operation.createdAt} />
      </span>
      <What name={name} cmpObject={cmpObject} />
      <span className="where" title={backend?.name}>
        {backend?.name ?? '–'}
      </span>
      <span className="said">{said(operation)}</span>
    </button>
  );
});

/** How the outcome of a call became known, if not by its answer. */
const sourceWords: Readonly<Record<Exclude<RelayOperationSource, 'REPLY'>, string>> = {
  ...{
    DEADLINE: 'no answer in time',
    CONNECTION: 'connection lost',
    NOT_SENT: 'not sent',
    PROBE: 'confirmed by check',
  },
  ...{ OPERATOR: 'settled by an operator', RECOVERY: 'settled after a restart' },
  ...{ RELAY: 'refused by the relay', MAPPING: 'object of another CMP object' },
};

function said({ state, deviceError, startedAt, finishedAt, stateSource }: Operation) {
  if (deviceError !== null) {
    return (
      <span className="error" title={deviceError.message}>
        <DeviceFault fault={deviceError} />
      </span>
    );
  }
  if (state === 'ACCEPTED') return 'a job on the device';
  if (startedAt === null || finishedAt === null) return null;
  const took = formatDuration(Date.parse(finishedAt) - Date.parse(startedAt));
  return stateSource === null || stateSource === 'REPLY' ? took : sourceWords[stateSource];
}
