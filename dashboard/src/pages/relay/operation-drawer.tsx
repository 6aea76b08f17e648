// The details of one operation; without a verdict, how to settle it.

import type { OperationDetailFieldsFragment } from '../../../../generated/dashboard/graphql.ts';
import { formatCmpObject, linkToCmpObject } from '../../cmp-object.ts';
import { Drawer, Facts } from '../../view/drawer.tsx';
import { formatDuration, formatJson, formatWord } from '../../view/format.ts';
import { Link } from '../../view/link.tsx';
import { Failures } from '../../view/refusal.tsx';
import { Skeleton } from '../../view/skeleton.tsx';
import { Moment } from '../../view/time.tsx';
import { ResultBadge, StateBadge } from './marks.tsx';
import { isSettleable, SettleForm } from './settle-form.tsx';
import { useOperation } from './use-operation.ts';

interface OperationDrawerProps {
  readonly id: string;
  readonly onClose: () => void;
  readonly onOpenMapping: (id: string) => void;
}

export function OperationDrawer({ id, onClose, onOpenMapping }: OperationDrawerProps) {
  const { operation, detail, isGone, failure } = useOperation(id);
  if (operation === null) {
    return (
      <Drawer id={id} title={isGone ? 'No such operation' : 'Operation'} onClose={onClose}>
        {isGone && <p>Not found: it belongs to no project of yours, or its retention has passed.</p>}
        {failure !== null && <Failures failures={[failure]} />}
        {!isGone && failure === null && <Skeleton />}
      </Drawer>
    );
  }
  const { backend, cmpObject, deviceError, createdAt, startedAt: sentAt, finishedAt, project } = operation;
  return (
    <Drawer
      id={id}
      title={
        <>
          <span className="mono">{operation.name}</span> <StateBadge state={operation.state} />
        </>
      }
      onClose={onClose}
    >
      {failure !== null && <Failures failures={[failure]} />}
      {deviceError !== null && (
        <div className="device-error" data-state={operation.state}>
          <code>{deviceError.code}</code>
          <pre>{deviceError.message}</pre>
        </div>
      )}
      {isSettleable(operation) && <SettleForm operation={operation} key={`${id} ${operation.state}`} />}
      {detail !== null && <Evidence detail={detail} />}
      <Facts
        facts={[
          { name: 'Backend', value: backend?.name },
          {
            name: 'CMP object',
            value: cmpObject && (
              <Link className="mono" href={linkToCmpObject(cmpObject)}>
                {formatCmpObject(cmpObject)}
              </Link>
            ),
          },
          { name: 'Project', value: project?.name },
          { name: 'Effect', value: formatWord(operation.effect) },
          { name: 'Requested by', value: operation.requestedBy.name },
          { name: 'Accepted', value: <Moment at={createdAt} /> },
          { name: 'Sent', value: sentAt === null ? null : <Moment at={sentAt} /> },
          {
            name: 'Finished',
            value:
              finishedAt === null ? null : (
                <>
                  <Moment at={finishedAt} />
                  {sentAt !== null && (
                    <span className="dim"> after {formatDuration(Date.parse(finishedAt) - Date.parse(sentAt))}</span>
                  )}
                </>
              ),
          },
          { name: 'State from', value: operation.stateSource === null ? null : formatWord(operation.stateSource) },
          { name: 'Settled by', value: operation.settledBy?.name },
          {
            name: 'Request',
            value: operation.requestId && (
              <>
                <code>{operation.requestId}</code>{' '}
                <Link href={`/audit?request=${encodeURIComponent(operation.requestId)}`}>in the audit trail</Link>
              </>
            ),
          },
          { name: 'Id', value: <code>{operation.id}</code> },
        ]}
      />
      {detail === null ? <Skeleton /> : <Details detail={detail} onOpenMapping={onOpenMapping} />}
    </Drawer>
  );
}

interface DetailsProps {
  readonly detail: OperationDetailFieldsFragment;
  readonly onOpenMapping: (id: string) => void;
}

function Details({ detail, onOpenMapping }: DetailsProps) {
  return (
    <>
      <Block title="On the wire" text={detail.wireCall} />
      <Block title="Arguments" text={formatJson(detail.arguments)} />
      <Block title="Reply" text={detail.result === null ? null : formatJson(detail.result)} />
      {detail.changedMappings.length > 0 && (
        <section>
          <h3>Mapping</h3>
          <ul className="mappings">
            {detail.changedMappings.map((mapping) => (
              <li key={mapping.id}>
                <span className="mono">{mapping.cmpObject === null ? '–' : formatCmpObject(mapping.cmpObject)}</span>
                {mapping.mappingRole !== '' && <span className="dim"> as {mapping.mappingRole}</span>} →{' '}
                <button type="button" className="link mono" onClick={() => onOpenMapping(mapping.id)}>
                  {mapping.objectKey}
                </button>{' '}
                {mapping.lastVerification !== null && <ResultBadge result={mapping.lastVerification.result} />}
                <div className="dim">
                  {mapping.resource} in {mapping.scope}
                  {mapping.uuid !== null && ` · ${mapping.uuid}`} · {mapping.mappingState.toLowerCase()}
                </div>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

/** Comes before the sent text, because evidence decides the outcome. */
function Evidence({ detail }: { readonly detail: OperationDetailFieldsFragment }) {
  if (detail.evidence.length === 0) return null;
  return (
    <section>
      <h3>Evidence</h3>
      <ol className="evidence">
        {detail.evidence.map((entry) => (
          <li key={`${entry.recordedAt} ${entry.source} ${entry.finding}`}>
            <Moment at={entry.recordedAt} /> <b>{formatWord(entry.finding)}</b>{' '}
            <span className="dim">from {formatWord(entry.source)}</span>
            {entry.note !== null && <div>{entry.note}</div>}
          </li>
        ))}
      </ol>
    </section>
  );
}

function Block({ title, text }: { readonly title: string; readonly text: string | null }) {
  if (text === null || text === '') return null;
  return (
    <section>
      <h3>{title}</h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: text that scrolls must be reachable by keyboard. */}
      <pre className="block" tabIndex={0}>
        {text}
      </pre>
    </section>
  );
}
