// One object that differs from its mapping: which, its owner, its place, and the first differences; beside it, a button to verify
// it again.
import { memo, useRef } from 'react';
import { formatValue } from '../../view/format.ts';
import { Ago } from '../../view/time.tsx';
import type { DriftedMapping } from './kinds/mapping.ts';
import { ResultBadge } from './marks.tsx';
import { useVerify } from './use-verify.ts';
import { What } from './what.tsx';

interface DriftRowProps {
  readonly mapping: DriftedMapping;
  readonly isOpen: boolean;
  readonly isTabStop: boolean;
  readonly onOpen: (id: string) => void;
}

const shownDifferences = 2;

export const DriftRow = memo(function DriftRow({ mapping, isOpen, isTabStop, onOpen }: DriftRowProps) {
  const { id, objectKey, cmpObject, backend, resource, lastVerification } = mapping;
  const { differences } = lastVerification;
  const tabIndex = isTabStop ? 0 : -1;
  return (
    <div className="drift-item">
      <button
        type="button"
        className="row drift-row"
        data-row={id}
        data-result={lastVerification.result}
        aria-expanded={isOpen}
        tabIndex={tabIndex}
        onClick={() => onOpen(id)}
      >
        <ResultBadge result={lastVerification.result} />
        <What name={objectKey} title={`${resource} ${objectKey}`} cmpObject={cmpObject} />
        <span className="where" title={backend?.name}>
          {backend?.name ?? '–'}
        </span>
        <span className="when">
          <span className="visually-hidden">verified </span>
          <Ago at={lastVerification.verifiedAt} />
        </span>
        {differences.length > 0 && (
          <span className="differences">
            {differences.slice(0, shownDifferences).map(({ path, wanted, found }) => (
              <span className="difference" key={path}>
                <span className="path">{path}</span>
                <span className="visually-hidden"> wanted </span>
                <span className="wanted" title={formatValue(wanted)}>
                  {formatValue(wanted)}
                </span>
                <span aria-hidden="true">→</span>
                <span className="visually-hidden"> found </span>
                <span className="found" title={formatValue(found)}>
                  {formatValue(found)}
                </span>
              </span>
            ))}
            {differences.length > shownDifferences && (
              <span className="dim">and {differences.length - shownDifferences} more</span>
            )}
          </span>
        )}
      </button>
      <VerifyButton mapping={mapping} tabIndex={tabIndex} />
    </div>
  );
});

function VerifyButton({ mapping, tabIndex }: { readonly mapping: DriftedMapping; readonly tabIndex: number }) {
  const button = useRef<HTMLButtonElement>(null);
  const { isAllowed, isBusy, failures, verify } = useVerify(mapping);
  const failure = failures[0];
  const look = async (): Promise<void> => {
    const item = button.current?.closest('li');
    const neighbour = item?.nextElementSibling ?? item?.previousElementSibling;
    await verify();
    // A removed row takes the focus with it: keyboard users continue at the next row.
    setTimeout(() => {
      if (item?.isConnected === false && document.activeElement === document.body)
        neighbour?.querySelector<HTMLElement>('[data-row]')?.focus();
    });
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        className="quiet again"
        tabIndex={tabIndex}
        disabled={!isAllowed}
        aria-busy={isBusy}
        title={isAllowed ? 'Read-only on the device' : 'Only members of its project can verify it'}
        onClick={() => {
          if (!isBusy) void look();
        }}
      >
        {isBusy ? 'Verifying…' : 'Verify again'}
      </button>
      {failure !== undefined && (
        <p className="row-failure" role="alert">
          {failure.message} <code>{failure.code}</code>
        </p>
      )}
    </>
  );
}
