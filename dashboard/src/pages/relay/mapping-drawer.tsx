// The details of one mapping: the finding of the last verification, and a button to verify it again.

import { useCallback, useState } from 'react';
import { RelayMappingDocument } from '../../../../generated/dashboard/graphql.ts';
import { formatCmpObject, linkToCmpObject } from '../../cmp-object.ts';
import { useEntities, usePage } from '../../context.ts';
import { Drawer, Facts } from '../../view/drawer.tsx';
import { formatValue, formatWord } from '../../view/format.ts';
import { Link } from '../../view/link.tsx';
import { Failures } from '../../view/refusal.tsx';
import { Skeleton } from '../../view/skeleton.tsx';
import { Ago, Moment } from '../../view/time.tsx';
import { useDetail } from '../../view/use-detail.ts';
import { type Mapping, mappingKind, type Verification } from './kinds/mapping.ts';
import { ResultBadge } from './marks.tsx';
import { useVerify } from './use-verify.ts';

interface MappingDrawerProps {
  readonly id: string;
  readonly onClose: () => void;
  readonly onOpenOperation: (id: string) => void;
}

export function MappingDrawer({ id, onClose, onOpenOperation }: MappingDrawerProps) {
  const { store } = usePage();
  const known = useEntities(mappingKind).get(id) ?? null;
  const take = useCallback((read: Mapping) => store.take(mappingKind, [read]), [store]);
  const { detail, isGone, failure } = useDetail(RelayMappingDocument, id, known?.version ?? 0, take);
  const mapping: Mapping | null = known !== null && known.version > (detail?.version ?? 0) ? known : detail;
  if (mapping === null) {
    return (
      <Drawer id={id} title={isGone ? 'No such mapping' : 'Mapping'} onClose={onClose}>
        {isGone && <p>Not found: it belongs to no project of yours, or its retention has passed.</p>}
        {failure !== null && <Failures failures={[failure]} />}
        {!isGone && failure === null && <Skeleton />}
      </Drawer>
    );
  }
  const { backend, cmpObject, lastVerification } = mapping;
  const operation = detail?.operation ?? null;
  return (
    <Drawer
      id={id}
      title={
        <>
          <span className="mono">{mapping.objectKey}</span>{' '}
          {lastVerification !== null && <ResultBadge result={lastVerification.result} />}
        </>
      }
      onClose={onClose}
    >
      {failure !== null && <Failures failures={[failure]} />}
      <VerificationForm mapping={mapping} key={id} />
      <Facts
        facts={[
          {
            name: 'CMP object',
            value: cmpObject && (
              <Link className="mono" href={linkToCmpObject(cmpObject)}>
                {formatCmpObject(cmpObject)}
              </Link>
            ),
          },
          { name: 'Role', value: mapping.mappingRole },
          { name: 'Backend', value: backend?.name },
          { name: 'Resource', value: mapping.resource },
          { name: 'Scope', value: <span className="mono">{mapping.scope}</span> },
          { name: 'UUID', value: mapping.uuid === null ? null : <code>{mapping.uuid}</code> },
          { name: 'State', value: formatWord(mapping.mappingState) },
          { name: 'Shared', value: mapping.shared ? 'shared by several CMP objects' : null },
          { name: 'Project', value: mapping.project?.name },
          {
            name: 'Created by',
            value:
              operation === null ? null : (
                <button type="button" className="link mono" onClick={() => onOpenOperation(operation.id)}>
                  {operation.name}
                </button>
              ),
          },
          { name: 'Created', value: detail === null ? null : <Moment at={detail.createdAt} /> },
          { name: 'Updated', value: <Moment at={mapping.updatedAt} /> },
          { name: 'Id', value: <code>{id}</code> },
        ]}
      />
      {detail !== null && detail.wantedSettings !== null && (
        <section>
          <h3>As it should be</h3>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: text that scrolls must be reachable by keyboard. */}
          <pre className="block" tabIndex={0}>
            {detail.wantedSettings.map(({ name, value }) => `${name}: ${value ?? 'none'}`).join('\n')}
          </pre>
        </section>
      )}
    </Drawer>
  );
}

function VerificationForm({ mapping }: { readonly mapping: Mapping }) {
  const { isAllowed, isBusy, failures, verify } = useVerify(mapping);
  const [seen, setSeen] = useState('');
  const { lastVerification } = mapping;
  const result = lastVerification?.result;
  const look = async (): Promise<void> => {
    setSeen('');
    const now = await verify();
    if (now?.lastVerification?.result === result && result !== undefined) setSeen(`Still ${formatWord(result)}.`);
  };
  return (
    <section className="settle look" data-result={result} aria-labelledby="look-title">
      <h3 id="look-title">
        {result === undefined && 'Not verified since its last change'}
        {result === 'MATCHES' && 'Matches the device'}
        {result === 'MISSING' && 'Missing on the device'}
        {result === 'DRIFTED' && 'Differs on the device'}
      </h3>
      {lastVerification !== null && (
        <p className="dim">
          Verified <Ago at={lastVerification.verifiedAt} />
        </p>
      )}
      {lastVerification !== null && lastVerification.differences.length > 0 && (
        <Differences differences={lastVerification.differences} />
      )}
      <div className="actions">
        <button type="button" className="primary" disabled={!isAllowed || isBusy} onClick={() => void look()}>
          {result === undefined ? 'Verify' : 'Verify again'}
        </button>
        <span className="dim">
          {isAllowed ? 'Read-only on the device.' : 'Only members of its project can verify it.'}
        </span>
      </div>
      <p role="status" className="found">
        {isBusy ? 'Verifying…' : seen}
      </p>
      <Failures failures={failures} />
    </section>
  );
}

function Differences({ differences }: { readonly differences: Verification['differences'] }) {
  return (
    <table className="difference-table">
      <thead>
        <tr>
          <th scope="col">Where</th>
          <th scope="col">Wanted</th>
          <th scope="col">Found</th>
        </tr>
      </thead>
      <tbody>
        {differences.map(({ path, wanted, found }) => (
          <tr key={path}>
            <th scope="row">{path}</th>
            <td className="wanted">{formatValue(wanted)}</td>
            <td className="found">{formatValue(found)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
