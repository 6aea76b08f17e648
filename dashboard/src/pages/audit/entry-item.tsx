// One entry of the audit trail, with links to who asked and to the object.
import { useState } from 'react';
import type { AuditPageQuery } from '../../../../generated/dashboard/graphql.ts';
import { titleOf } from '../../../../schema/kinds/words.ts';
import { type CmpObjectKey, formatCmpObject, linkToCmpObject } from '../../cmp-object.ts';
import { linkTo } from '../../links.ts';
import { formatJson, formatType, formatWord } from '../../view/format.ts';
import { Link } from '../../view/link.tsx';
import { Moment } from '../../view/time.tsx';
import type { AuditControl } from './filters.ts';

type Entry = AuditPageQuery['auditEntries']['nodes'][number];

interface EntryItemProps {
  readonly entry: Entry;
  readonly control: AuditControl;
}

export function EntryItem({ entry, control }: EntryItemProps) {
  const { action, recordedAt, project, outcome, code, requestId, callerRequestId } = entry;
  const object = objectOf(entry.details);
  return (
    <>
      <span className="line" data-action={action}>
        <Moment at={recordedAt} />
        <Who actor={entry.actor} />
        <b className="name">{titleOf(action)}</b>
        <b data-status={outcome === 'ACCEPTED' ? 'SUCCEEDED' : 'FAILED'}>{formatWord(outcome)}</b>
        {code !== null && <code>{code}</code>}
      </span>
      <span className="line">
        <Subject entry={entry} control={control} />
        {object !== null && <Link href={linkToCmpObject(object)}>{formatCmpObject(object)}</Link>}
        {project !== null && (
          <span className="dim">
            project <Link href={linkTo('Project', project.id) ?? '/people'}>{project.name}</Link>
          </span>
        )}
        {requestId !== null && <RequestId id={requestId} what="request" control={control} />}
        {callerRequestId !== null && <RequestId id={callerRequestId} what="caller's request" control={control} />}
      </span>
      <Details entry={entry} />
    </>
  );
}

function Who({ actor }: Pick<Entry, 'actor'>) {
  if (actor === null) return <span className="dim">nobody logged in</span>;
  const { name, kind, user, apiToken } = actor;
  const href =
    user !== null ? linkTo('User', user.id) : apiToken !== null ? linkTo('ApiToken', apiToken.id) : undefined;
  return (
    <span>
      {href === undefined ? <b>{name}</b> : <Link href={href}>{name}</Link>}{' '}
      {kind !== 'USER' && <span className="dim">{formatWord(kind)}</span>}
    </span>
  );
}

/** Its name now; else the one that the request gave. */
function nameOf({ subject, details }: Entry): string | null {
  if (subject !== null && 'name' in subject) return subject.name;
  if (subject !== null && 'fqdn' in subject) return subject.fqdn;
  const { name, fqdn } = (details ?? {}) as { readonly name?: unknown; readonly fqdn?: unknown };
  return [name, fqdn].find((each) => typeof each === 'string') ?? null;
}

function Subject({ entry, control }: EntryItemProps) {
  const { subject, subjectId } = entry;
  if (subjectId === null) return null;
  const href = subject === null ? undefined : hrefOf(subject.__typename, subjectId);
  const name = nameOf(entry);
  const type = subject === null ? 'a deleted object' : formatType(subject.__typename);
  const what = name === null ? type : subject === null ? `${name} (deleted)` : `${type} ${name}`;
  return (
    <>
      {href === undefined ? <span className="dim">{what}</span> : <Link href={href}>{what}</Link>}
      <button
        type="button"
        className="link mono"
        title="Only entries about this object"
        onClick={() => control.change({ subjectId })}
      >
        …{subjectId.slice(-8)}
      </button>
    </>
  );
}

/** A backend has a page of its own. */
function hrefOf(typename: string, id: string): string | undefined {
  return typename === 'Backend' ? `/backend?id=${encodeURIComponent(id)}` : linkTo(typename, id);
}

interface RequestIdProps {
  readonly id: string;
  readonly what: string;
  readonly control: AuditControl;
}

function RequestId({ id, what, control }: RequestIdProps) {
  return (
    <span className="dim">
      {what}{' '}
      <button
        type="button"
        className="link mono"
        title="Only entries of this request"
        onClick={() => control.change({ requestId: id })}
      >
        {id}
      </button>
    </span>
  );
}

function Details({ entry: { action, details, position, hash } }: { readonly entry: Entry }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary className="dim">Input</summary>
      {isOpen && (
        <>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: text that scrolls must be reachable by keyboard. */}
          <pre className="block" tabIndex={0}>
            {formatJson(details)}
          </pre>
          <p className="dim">
            Operation <code>{action}</code>.{' '}
            {hash === null ? 'Not sealed yet.' : `Sealed${position === null ? '' : ` at position ${position}`}:`}{' '}
            <code>{hash}</code>
          </p>
        </>
      )}
    </details>
  );
}

/** The object of the CMP in a mutation's input. */
function objectOf(details: unknown): CmpObjectKey | null {
  const { cmpObject } = (details ?? {}) as { readonly cmpObject?: Partial<CmpObjectKey> | null };
  const { namespace = 'default', type, externalId } = cmpObject ?? {};
  return typeof type === 'string' && typeof externalId === 'string' && typeof namespace === 'string'
    ? { namespace, type, externalId }
    : null;
}
