// One alert in a list: how urgent, what is in which condition, since when and why, and what a person can do.

import { AlertsAcknowledgeDocument, AlertsEndDocument } from '../../../../generated/dashboard/graphql.ts';
import { useLiveState } from '../../context.ts';
import { useFilters } from '../../filters/use-filters.ts';
import { linkTo } from '../../links.ts';
import { ConfirmedAction } from '../../view/confirmed-action.tsx';
import { Reason } from '../../view/device-fault.tsx';
import { formatType, formatWord } from '../../view/format.ts';
import { Link } from '../../view/link.tsx';
import { isMember } from '../../view/permissions.ts';
import { Age, Time } from '../../view/time.tsx';
import { useMutation } from '../../view/use-mutation.ts';
import { conditionWords } from './condition-words.ts';
import { filterFormat } from './filters.ts';
import { alertType } from './kinds.ts';
import type { Alert } from './use-alerts.ts';

export function AlertItem({ alert }: { readonly alert: Alert }) {
  const { filters } = useFilters(filterFormat);
  const { id, condition, reason, since, resolvedAt, ruleName, project } = alert;
  const why = `/alerts${filterFormat.format({ ...filters, open: { type: alertType.typename, id } })}`;
  return (
    <>
      <span className="line" data-alert={alert.alertState}>
        <SeverityMark alert={alert} />
        <SubjectLink alert={alert} />
        <span>{conditionWords[condition]}</span>
        {resolvedAt === null ? (
          <span className="dim">
            for <Age at={since} />
          </span>
        ) : (
          <span className="dim">
            from <Time at={since} /> to <Time at={resolvedAt} />
          </span>
        )}
      </span>
      {reason !== null && (
        <span className="line">
          <span>
            <Reason text={reason} />
          </span>
        </span>
      )}
      <span className="line">
        <Link href={why} data-row={id}>
          Why
        </Link>
        <span className="dim">
          rule {ruleName}
          {project !== null && ` of ${project.name}`}
        </span>
        <Acknowledged alert={alert} />
        <AlertActions alert={alert} />
      </span>
    </>
  );
}

export function SeverityMark({ alert: { severity, alertState } }: { readonly alert: Alert }) {
  if (alertState === 'RESOLVED') return <b data-status="ONLINE">resolved</b>;
  return <b data-status={severity === 'CRITICAL' ? 'FAILED' : 'DRIFTED'}>{formatWord(severity)}</b>;
}

/** To the page of what is in the condition. */
export function SubjectLink({ alert: { subjectType, subjectId, subjectName } }: { readonly alert: Alert }) {
  const href = subjectType === 'HaCluster' ? '/hosts' : linkTo(subjectType, subjectId);
  const name = subjectName ?? `${formatType(subjectType)} …${subjectId.slice(-6)}`;
  return href === undefined ? (
    <span className="name">{name}</span>
  ) : (
    <Link className="name" href={href}>
      {name}
    </Link>
  );
}

export function Acknowledged({ alert: { acknowledgedAt, acknowledgedBy } }: { readonly alert: Alert }) {
  if (acknowledgedAt === null) return null;
  return (
    <span className="dim">
      {acknowledgedBy?.name ?? 'somebody'} knows of it since <Time at={acknowledgedAt} />
    </span>
  );
}

/** Nothing once it is resolved. */
export function AlertActions({ alert: { id, alertState, subjectName, project } }: { readonly alert: Alert }) {
  const { viewer } = useLiveState();
  const acknowledging = useMutation(AlertsAcknowledgeDocument);
  const ending = useMutation(AlertsEndDocument);
  if (alertState === 'RESOLVED') return null;
  const forbidden = isMember(viewer, project?.id) ? null : 'Only members of its project can do this.';
  const name = subjectName ?? 'this';
  return (
    <>
      {alertState === 'FIRING' && (
        <ConfirmedAction
          label="Acknowledge"
          about={name}
          question={`Acknowledge the alert about ${name}?`}
          forbidden={forbidden}
          control={acknowledging}
          onConfirm={async () => (await acknowledging.send({ id })) !== undefined}
        >
          It is not sent again until it is resolved. It stays open as long as its cause lasts.
        </ConfirmedAction>
      )}
      <ConfirmedAction
        label="End"
        about={name}
        question={`End the alert about ${name}?`}
        forbidden={forbidden}
        control={ending}
        onConfirm={async () => (await ending.send({ id })) !== undefined}
      >
        The alert counts as resolved. It fires again if its condition is reported again. End it if its subject no longer
        exists; otherwise acknowledge it.
      </ConfirmedAction>
    </>
  );
}
