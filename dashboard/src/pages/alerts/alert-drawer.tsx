// One alert and why it fired: the changes of its subject, newest first.

import { useCallback } from 'react';
import { AlertsAlertDocument, AlertsWhyDocument } from '../../../../generated/dashboard/graphql.ts';
import { formatCmpObject, linkToCmpObject } from '../../cmp-object.ts';
import { useDependencies } from '../../context.ts';
import { ChangeWords } from '../../view/change-words.tsx';
import { Reason } from '../../view/device-fault.tsx';
import { Drawer, Facts } from '../../view/drawer.tsx';
import { formatWord } from '../../view/format.ts';
import { Link } from '../../view/link.tsx';
import { Failures } from '../../view/refusal.tsx';
import { Skeleton } from '../../view/skeleton.tsx';
import { Moment, Time } from '../../view/time.tsx';
import { useReading } from '../../view/use-reading.ts';
import { Acknowledged, AlertActions, SeverityMark, SubjectLink } from './alert-item.tsx';
import { conditionWords } from './condition-words.ts';
import { type Alert, everyMs, useNews } from './use-alerts.ts';

interface AlertDrawerProps {
  readonly id: string;
  readonly onClose: () => void;
}

export function AlertDrawer({ id, onClose }: AlertDrawerProps) {
  const { requester } = useDependencies();
  const read = useCallback(async () => (await requester.request(AlertsAlertDocument, { id })).alert, [requester, id]);
  const { value: alert, failure } = useReading(read, useNews(), everyMs);
  return (
    <Drawer id={id} title={alert == null ? 'Alert' : (alert.subjectName ?? alert.ruleName)} onClose={onClose}>
      {failure !== null && <Failures failures={[failure]} />}
      {alert === undefined && failure === null && <Skeleton />}
      {alert === null && <p className="dim">Not found: its retention has passed, or you may not see it.</p>}
      {alert != null && <AlertDetails alert={alert} />}
    </Drawer>
  );
}

function AlertDetails({ alert }: { readonly alert: Alert }) {
  const { cmpObject, reason, status, condition, resolvedAt, lastNotifiedAt } = alert;
  return (
    <>
      <div className="actions">
        <AlertActions alert={alert} />
      </div>
      <Facts
        facts={[
          { name: 'About', value: <SubjectLink alert={alert} /> },
          { name: 'Condition', value: conditionWords[condition] },
          { name: 'Severity', value: <SeverityMark alert={alert} /> },
          { name: 'Status', value: formatWord(status) },
          { name: 'Why', value: reason === null ? null : <Reason text={reason} /> },
          {
            name: 'CMP object',
            value: cmpObject && <Link href={linkToCmpObject(cmpObject)}>{formatCmpObject(cmpObject)}</Link>,
          },
          { name: 'Since', value: <Moment at={alert.since} /> },
          { name: 'Fired', value: <Moment at={alert.createdAt} /> },
          { name: 'Sent', value: lastNotifiedAt === null ? 'not sent yet' : <Moment at={lastNotifiedAt} /> },
          { name: 'Known', value: alert.acknowledgedAt && <Acknowledged alert={alert} /> },
          { name: 'Resolved', value: resolvedAt && <Moment at={resolvedAt} /> },
          { name: 'Rule', value: alert.ruleName },
          { name: 'Id', value: <code>{alert.id}</code> },
        ]}
      />
      <Why key={alert.subjectId} subjectId={alert.subjectId} />
    </>
  );
}

function Why({ subjectId }: { readonly subjectId: string }) {
  const { requester } = useDependencies();
  const read = useCallback(
    async () => (await requester.request(AlertsWhyDocument, { subjectId })).statusHistory.nodes,
    [requester, subjectId],
  );
  const { value: changes, failure } = useReading(read, useNews(), everyMs);
  return (
    <section aria-label="Why">
      <h3>History</h3>
      {failure !== null && <Failures failures={[failure]} />}
      {changes?.length === 0 && <p className="dim">No changes are kept.</p>}
      <ol className="calls">
        {changes?.map(({ id, changedAt, kind, from, to, reason, requestId }) => (
          <li key={id}>
            <span className="line">
              <Time at={changedAt} />
              <ChangeWords change={{ kind, from, to }} />
              {requestId !== null && (
                <Link href={`/audit?request=${encodeURIComponent(requestId)}`}>who asked for it</Link>
              )}
            </span>
            {reason !== null && (
              <span className="line">
                <span>
                  <Reason text={reason} />
                </span>
              </span>
            )}
          </li>
        ))}
      </ol>
      <p className="dim">
        At the command line: <code>tidegate why {subjectId}</code>
      </p>
    </section>
  );
}
