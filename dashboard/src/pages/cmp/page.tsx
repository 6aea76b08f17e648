// The page of one object of the CMP: the tree of all that it became, with states, and the calls made for it in time.

import { type FormEvent, useCallback, useMemo, useState } from 'react';
import { type CmpObjectKey, formatCmpObject, parseCmpObject } from '../../cmp-object.ts';
import { useDependencies, useLiveState } from '../../context.ts';
import { containsWords } from '../../filters/filters.ts';
import { useFilters } from '../../filters/use-filters.ts';
import { PageFrame } from '../../frame/page-frame.tsx';
import { linkTo } from '../../links.ts';
import type { Page } from '../../page.ts';
import { DeviceFault, Reason } from '../../view/device-fault.tsx';
import { formatDuration, formatWord } from '../../view/format.ts';
import { Link } from '../../view/link.tsx';
import { Panel } from '../../view/panel.tsx';
import { isMember } from '../../view/permissions.ts';
import { Failures } from '../../view/refusal.tsx';
import { ScrollRegion } from '../../view/scroll-region.tsx';
import { Skeleton } from '../../view/skeleton.tsx';
import { Ago, Time } from '../../view/time.tsx';
import { newsOf, usePageTitle } from '../../view/use-page-title.ts';
import { usePresentPages } from '../../view/use-present-pages.ts';
import { useReading } from '../../view/use-reading.ts';
import { type CmpControl, filterFormat } from './filters.ts';
import { subjects } from './kinds.ts';
import { type OwnCall, type OwnMapping, type Part, readTree, type Tree } from './reads.ts';
import { RecentPanel } from './recent-panel.tsx';
import { useVerifyAll } from './use-verify-all.ts';
import './cmp.css';

export const page: Page = {
  ...subjects,
  read: async () => [],
  keys: {
    firstList: 'tree',
    groups: [{ does: 'Objects, calls', focus: { 1: '[data-list="tree"]', 2: '[data-list="calls"]' } }],
  },
  Content: CmpPage,
};

/** Calls and parts have no event of their own here. */
const everyMs = 5_000;

function CmpPage() {
  const control = useFilters(filterFormat);
  const { object } = control.filters;
  return (
    <PageFrame control={control} className={object === null ? 'cmp empty-cmp' : 'cmp'} waitingFor="objects">
      {object === null ? (
        <>
          <AskedObject control={control} />
          <Recent text={control.filters.text} />
        </>
      ) : (
        <ObjectView key={formatCmpObject(object)} object={object} control={control} />
      )}
    </PageFrame>
  );
}

function Recent({ text }: { readonly text: string }) {
  const hasRelay = usePresentPages().some(({ name }) => name === 'relay');
  return hasRelay ? <RecentPanel text={text} /> : null;
}

function AskedObject({ control }: { readonly control: CmpControl }) {
  const [isWrong, setWrong] = useState(false);
  const show = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const object = parseCmpObject(String(new FormData(event.currentTarget).get('object')));
    setWrong(object === undefined);
    if (object !== undefined) control.change({ object });
  };
  usePageTitle([]);
  return (
    <form className="waiting asked" onSubmit={show}>
      <label className="field">
        CMP object
        <input name="object" placeholder="tenant/42" required maxLength={400} />
      </label>
      {isWrong && <p className="warning">TYPE/ID or NAMESPACE:TYPE/ID, for example tenant/42.</p>}
      <button type="submit">Show</button>
    </form>
  );
}

interface ObjectViewProps {
  readonly object: CmpObjectKey;
  readonly control: CmpControl;
}

function ObjectView({ object, control }: ObjectViewProps) {
  const { requester } = useDependencies();
  const { feed } = useLiveState();
  const present = usePresentPages();
  const names = present.map(({ name }) => name).join(' ');
  const [verified, setVerified] = useState(0);
  const read = useCallback(() => readTree(requester, object, names.split(' ')), [requester, object, names]);
  const { value: tree, failure } = useReading(read, `${feed[0]?.id} ${verified}`, everyMs);
  const { text } = control.filters;
  const bad = tree?.mappings.filter(isWrong).length ?? 0;
  const unknown = tree?.calls.filter(({ state }) => state === 'UNKNOWN').length ?? 0;
  usePageTitle(useMemo(() => newsOf({ 'changed on its device': bad, unknown }), [bad, unknown]));
  return (
    <>
      <section className="shown-head" aria-labelledby="object-name">
        <h2 id="object-name" className="mono">
          {formatCmpObject(object)}
        </h2>
        {tree !== undefined && <span className="dim">{summaryOf(tree)}</span>}
      </section>
      {failure !== null && <Failures failures={[failure]} />}
      <TreePanel tree={tree} text={text} onVerified={() => setVerified((before) => before + 1)} />
      <CallsPanel tree={tree} text={text} />
    </>
  );
}

interface TreePanelProps {
  readonly tree: Tree | undefined;
  readonly text: string;
  readonly onVerified: () => void;
}

function TreePanel({ tree, text, onVerified }: TreePanelProps) {
  const { viewer } = useLiveState();
  const { progress, refused, verify } = useVerifyAll(onVerified);
  const own = tree?.mappings.filter((mapping) => containsWords(text, wordsOf(mapping))) ?? [];
  const parts = tree?.parts.filter(({ what, name, status }) => containsWords(text, [what, name, status])) ?? [];
  const verifiable = own.filter(({ project }) => isMember(viewer, project?.id));
  const byBackend = Map.groupBy(own, ({ backend }) => backend?.id ?? '');
  return (
    <Panel
      name="became"
      title="Objects"
      tools={
        <button
          type="button"
          className="verify-all"
          disabled={verifiable.length === 0 || progress !== null}
          title="Read-only on the devices"
          onClick={() => void verify(verifiable)}
        >
          {progress === null ? 'Verify all' : `Verifying ${progress.done + 1} of ${progress.of}…`}
        </button>
      }
    >
      <ScrollRegion list="tree" label="Objects">
        {tree === undefined && <Skeleton />}
        {[...(tree?.failures ?? []), ...refused].map((message) => (
          <p key={message} className="warning">
            {message}
          </p>
        ))}
        {tree !== undefined && own.length + parts.length === 0 && (
          <p className="hint">No objects that you may see{text === '' ? '' : ' match the filter'}.</p>
        )}
        <ul className="became">
          {[...byBackend].map(([backendId, mappings]) => (
            <li key={backendId}>
              <BackendBranch mappings={mappings} />
            </li>
          ))}
          {parts.map((part) => (
            <li key={part.id}>
              <PartItem part={part} />
            </li>
          ))}
        </ul>
      </ScrollRegion>
    </Panel>
  );
}

function BackendBranch({ mappings }: { readonly mappings: readonly OwnMapping[] }) {
  const backend = mappings[0]?.backend;
  return (
    <>
      <span className="line">
        <span className="dim">backend</span>
        {backend == null ? (
          <span>a deleted backend</span>
        ) : (
          <Link className="name" href={linkTo('Backend', backend.id) ?? '/relay'}>
            {backend.name}
          </Link>
        )}
        {backend != null && <b data-status={backend.operatingStatus}>{formatWord(backend.operatingStatus)}</b>}
      </span>
      <ul>
        {mappings.map((mapping) => (
          <li key={mapping.id}>
            <MappingItem mapping={mapping} />
          </li>
        ))}
      </ul>
    </>
  );
}

function MappingItem({ mapping }: { readonly mapping: OwnMapping }) {
  const { id, resource, scope, objectKey, mappingRole, mappingState, shared, lastVerification } = mapping;
  return (
    <span className="line">
      <Link className="name mono" href={linkTo('Mapping', id) ?? '/relay'}>
        {objectKey}
      </Link>
      <span className="dim">
        {resource} in {scope}
        {mappingRole !== '' && ` · as ${mappingRole}`}
        {shared && ' · shared'}
        {mappingState !== 'ACTIVE' && ` · ${formatWord(mappingState)}`}
      </span>
      {lastVerification === null ? (
        <span className="dim">not verified yet</span>
      ) : (
        <span>
          <b data-status={lastVerification.result}>{formatWord(lastVerification.result)}</b>{' '}
          <span className="dim">
            <Ago at={lastVerification.verifiedAt} />
          </span>
        </span>
      )}
    </span>
  );
}

function PartItem({ part: { what, name, status, reason, href } }: { readonly part: Part }) {
  return (
    <span className="line">
      <span className="dim">{what}</span>
      {href === undefined ? (
        <span className="name">{name}</span>
      ) : (
        <Link className="name" href={href}>
          {name}
        </Link>
      )}
      {status !== null && <b data-status={status}>{formatWord(status)}</b>}
      {reason !== null && (
        <span className="message">
          <Reason text={reason} />
        </span>
      )}
    </span>
  );
}

function CallsPanel({ tree, text }: { readonly tree: Tree | undefined; readonly text: string }) {
  const shown =
    tree?.calls.filter(({ name, state, backend }) => containsWords(text, [name, state, backend?.name])) ?? [];
  return (
    <Panel
      name="calls"
      title="Calls"
      summary={tree === undefined ? undefined : `newest ${shown.length} of ${tree.callCount}`}
    >
      <ScrollRegion list="calls" label="Calls made for it, newest first">
        {tree !== undefined && shown.length === 0 && <p className="hint">No calls.</p>}
        <ol className="calls">
          {shown.map((call) => (
            <li key={call.id}>
              <CallItem call={call} />
            </li>
          ))}
        </ol>
      </ScrollRegion>
    </Panel>
  );
}

function CallItem({ call }: { readonly call: OwnCall }) {
  const { id, name, state, createdAt, finishedAt, requestedBy, backend, deviceError } = call;
  return (
    <>
      <span className="line">
        <Time at={createdAt} />
        <Link className="name mono" href={linkTo('RelayOperation', id) ?? '/relay'}>
          {name}
        </Link>
        <b data-status={state}>{formatWord(state)}</b>
        <span className="dim">
          {backend?.name ?? 'a deleted backend'} · by {requestedBy.name}
          {finishedAt !== null && ` · after ${formatDuration(Date.parse(finishedAt) - Date.parse(createdAt))}`}
        </span>
      </span>
      {deviceError !== null && (
        <span className="message">
          <DeviceFault fault={deviceError} />
        </span>
      )}
    </>
  );
}

function isWrong({ lastVerification }: OwnMapping): boolean {
  return lastVerification !== null && lastVerification.result !== 'MATCHES';
}

function wordsOf({ objectKey, resource, scope, backend, lastVerification }: OwnMapping) {
  return [objectKey, resource, scope, backend?.name, lastVerification?.result];
}

function summaryOf({ mappings, mappingCount, parts, callCount }: Tree): string {
  const shown = mappingCount > mappings.length ? `${mappings.length} of ${mappingCount}` : String(mappingCount);
  const [objects, calls] = [mappingCount === 1 ? 'object' : 'objects', callCount === 1 ? 'call' : 'calls'];
  return [`${shown} ${objects} on backends`, `${parts.length} elsewhere`, `${callCount} ${calls}`].join(' · ');
}
