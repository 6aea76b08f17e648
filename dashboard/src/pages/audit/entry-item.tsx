// One entry of the audit trail in a line, with links to who asked and to the object. Its details open below it.
import { useState } from 'react';
import type { AuditPageQuery } from '../../../../generated/dashboard/graphql.ts';
import { type CmpObjectKey, formatCmpObject, linkToCmpObject } from '../../cmp-object.ts';
import { linkTo } from '../../links.ts';
import { formatJson, formatWord } from '../../view/format.ts';
import { Link } from '../../view/link.tsx';
import { Moment, Time } from '../../view/time.tsx';
import { changesIn, deedOf, isSentence, objectWords } from './audit-words.ts';
import type { AuditControl } from './filters.ts';

export type Entry = AuditPageQuery['auditEntries']['nodes'][number];

interface EntryItemProps {
  readonly entry: Entry;
  readonly control: AuditControl;
  /** Of objects, by their ids. */
  readonly names: ReadonlyMap<string, string>;
}

export function EntryItem({ entry, control, names }: EntryItemProps) {
  const [isOpen, setOpen] = useState(false);
  const { action, project, outcome, code, version, subjectId } = entry;
  const isRefused = outcome === 'REFUSED';
  const changes = changesIn(version, names);
  const object = objectOf(entry.details);
  const hasObject = subjectId !== null && !isSentence(action);
  const deed = deedOf(action, typeOf(entry), isRefused);
  return (
    <>
      <span className="line entry" data-action={action}>
        <Time at={entry.recordedAt} />
        <span className="said">
          <Who actor={entry.actor} /> {hasObject ? deed : deed.replace(/ (of|in)$/, '')}
          {hasObject && <Subject entry={entry} />}
          {changes === '' ? '' : `: ${changes}`}
          {object !== null && (
            <>
              {' for '}
              <Link href={linkToCmpObject(object)}>{formatCmpObject(object)}</Link>
            </>
          )}
        </span>
        {isRefused && <b data-status="FAILED">refused{code === null ? '' : `: ${formatWord(code)}`}</b>}
        {project !== null && entry.subject?.__typename !== 'Project' && (
          <Link className="dim of-project" href={linkTo('Project', project.id) ?? '/people'}>
            {project.name}
          </Link>
        )}
        <button type="button" className="link" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          Details
        </button>
      </span>
      {isOpen && <Details entry={entry} control={control} />}
    </>
  );
}

function Who({ actor }: Pick<Entry, 'actor'>) {
  if (actor === null) return <b>Somebody</b>;
  const { name, kind, user, apiToken } = actor;
  const href =
    user !== null ? linkTo('User', user.id) : apiToken !== null ? linkTo('ApiToken', apiToken.id) : undefined;
  return (
    <>
      {href === undefined ? <b>{name}</b> : <Link href={href}>{name}</Link>}
      {kind !== 'USER' && <span className="dim"> ({formatWord(kind)})</span>}
    </>
  );
}

/** Its name now; else the one that it had, or that the request gave. */
export function nameOf({ subject, version, details }: Entry): string | null {
  if (subject !== null && 'name' in subject) return subject.name;
  if (subject !== null && 'fqdn' in subject) return subject.fqdn;
  const { name, fqdn } = (details ?? {}) as { readonly name?: unknown; readonly fqdn?: unknown };
  return [version?.subjectName, name, fqdn].find((each): each is string => typeof each === 'string') ?? null;
}

/** Undefined: the object is gone, and no version tells. */
function typeOf({ subject, version }: Entry): string | null {
  return subject?.__typename ?? version?.subjectType ?? null;
}

function Subject({ entry }: Pick<EntryItemProps, 'entry'>) {
  const { subject, subjectId } = entry;
  if (subjectId === null) return null;
  const href = subject === null ? undefined : hrefOf(subject.__typename, subjectId);
  const what = objectWords(typeOf(entry), nameOf(entry), subject === null);
  return <> {href === undefined ? what : <Link href={href}>{what}</Link>}</>;
}

/** A backend has a page of its own. */
function hrefOf(typename: string, id: string): string | undefined {
  return typename === 'Backend' ? `/backend?id=${encodeURIComponent(id)}` : linkTo(typename, id);
}

function Details({ entry, control }: Pick<EntryItemProps, 'entry' | 'control'>) {
  const { action, details, position, hash, recordedAt, requestId, callerRequestId, subjectId } = entry;
  return (
    <div className="entry-details">
      <span className="line dim">
        <Moment at={recordedAt} />
        <span>
          Operation <code>{action}</code>
        </span>
        {subjectId !== null && (
          <button type="button" className="link" onClick={() => control.change({ subjectId })}>
            Only this object
          </button>
        )}
        {requestId !== null && <RequestId id={requestId} what="request" control={control} />}
        {callerRequestId !== null && <RequestId id={callerRequestId} what="caller’s request" control={control} />}
      </span>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: text that scrolls must be reachable by keyboard. */}
      <pre className="block" tabIndex={0}>
        {formatJson(details)}
      </pre>
      <p className="dim">
        {hash === null ? 'Not sealed yet.' : `Sealed${position === null ? '' : ` at position ${position}`}:`}{' '}
        <code>{hash}</code>
      </p>
    </div>
  );
}

interface RequestIdProps {
  readonly id: string;
  readonly what: string;
  readonly control: AuditControl;
}

function RequestId({ id, what, control }: RequestIdProps) {
  return (
    <span>
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

/** The object of the CMP in a mutation's input. */
function objectOf(details: unknown): CmpObjectKey | null {
  const { cmpObject } = (details ?? {}) as { readonly cmpObject?: Partial<CmpObjectKey> | null };
  const { namespace = 'default', type, externalId } = cmpObject ?? {};
  return typeof type === 'string' && typeof externalId === 'string' && typeof namespace === 'string'
    ? { namespace, type, externalId }
    : null;
}
