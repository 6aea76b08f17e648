// The page of one backend: how it is, its calls of the last 24 hours with outcomes and latency, its objects, and examples of calls.

import { useCallback, useMemo } from 'react';
import {
  BackendPageDocument,
  type BackendPageQuery,
  UptimeOfBackendDocument,
} from '../../../../generated/dashboard/graphql.ts';
import { formatCmpObject, linkToCmpObject } from '../../cmp-object.ts';
import { useDependencies, useLiveState } from '../../context.ts';
import { containsWords, type FilterFormat, type Filters, plainFormat, toSearch } from '../../filters/filters.ts';
import { useFilters } from '../../filters/use-filters.ts';
import { callLink } from '../../forms/links.ts';
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
import { Uptime } from '../../view/uptime/uptime.tsx';
import { newsOf, usePageTitle } from '../../view/use-page-title.ts';
import { useReading } from '../../view/use-reading.ts';
import { ExamplesPanel } from './examples-panel.tsx';
import { subjects } from './kinds.ts';
import { latencyOf } from './latency.ts';
import './backend.css';

type Backend = NonNullable<BackendPageQuery['backend']>;
type Call = BackendPageQuery['relayOperations']['nodes'][number];
type Mapping = BackendPageQuery['mappings']['nodes'][number];

interface BackendFilters extends Filters {
  readonly id: string | null;
}

const common = plainFormat([]);
const filterFormat: FilterFormat<BackendFilters> = {
  parse: (search) => ({ ...common.parse(search), id: new URLSearchParams(search).get('id') || null }),
  format(filters) {
    const params = new URLSearchParams(common.format(filters));
    if (filters.id !== null) params.set('id', filters.id);
    return toSearch(params);
  },
};

export const page: Page = {
  ...subjects,
  read: async () => [],
  keys: {
    firstList: 'calls',
    groups: [
      {
        does: 'Calls, objects, examples',
        focus: { 1: '[data-list="calls"]', 2: '[data-list="objects"]', 3: '[data-list="examples"]' },
      },
    ],
  },
  Content: BackendPage,
};

/** Queues and calls have no event here. */
const everyMs = 5_000;
const dayMs = 86_400_000;

function BackendPage() {
  const control = useFilters(filterFormat);
  const { id, text } = control.filters;
  const { requester } = useDependencies();
  const { feed } = useLiveState();
  const read = useCallback(async () => {
    if (id === null) return null;
    const from = new Date(Date.now() - dayMs).toISOString();
    const found = await requester.request(BackendPageDocument, { id, from });
    return found.backend === null ? null : { ...found, backend: found.backend };
  }, [requester, id]);
  const { value, failure } = useReading(read, feed[0]?.id, everyMs);
  const unknown = value?.relayOperationCounts.find(({ state }) => state === 'UNKNOWN')?.count ?? 0;
  const drifted = value?.mappings.nodes.filter(isWrong).length ?? 0;
  const offline = Number(value?.backend.enabled === true && value.backend.operatingStatus === 'OFFLINE');
  usePageTitle(useMemo(() => newsOf({ unknown, drifted, offline }), [unknown, drifted, offline]));
  return (
    <PageFrame control={control} className="backend" waitingFor="the backend">
      {failure !== null && <Failures failures={[failure]} />}
      {value === undefined && failure === null && <Skeleton />}
      {value === null && (
        <p className="waiting">
          Not found: deleted, or in none of your projects. <Link href="/relay">All backends</Link>
        </p>
      )}
      {value != null && (
        <>
          <Head backend={value.backend} />
          <CallsPanel {...value} text={text} />
          <div className="column">
            <ObjectsPanel {...value} text={text} />
            <ExamplesPanel backend={value.backend} text={text} />
          </div>
        </>
      )}
    </PageFrame>
  );
}

function Head({ backend }: { readonly backend: Backend }) {
  const { id, name, family, driverName, site, host, port, transport, enabled, operatingStatus } = backend;
  const { health, circuit, queue, limits, project } = backend;
  const facts = [formatWord(family), driverName, site, project?.name, `${transport} ${host} port ${port}`];
  return (
    <section className="shown-head" aria-labelledby="backend-name">
      <Link href={linkTo('Backend', id) ?? '/relay'}>‹ In the list</Link>
      <h2 id="backend-name">{name}</h2>
      <b data-status={operatingStatus}>{enabled ? formatWord(operatingStatus) : 'disabled'}</b>
      {circuit.state !== 'CLOSED' && (
        <strong className="reasons">
          circuit {formatWord(circuit.state)}
          {circuit.reason !== null && (
            <>
              : <Reason text={circuit.reason} />
            </>
          )}
        </strong>
      )}
      {health.message !== null && operatingStatus !== 'ONLINE' && (
        <strong className="reasons">
          <Reason text={health.message} />
        </strong>
      )}
      <span className="dim">{facts.filter(Boolean).join(' · ')}</span>
      <span>
        <b>{queue.inFlight}</b> on the wire, <b>{queue.waiting}</b> of {queue.limit} waiting
        {limits !== null && `, at most ${limits.concurrency} at once`}
      </span>
      {health.checkedAt !== null && (
        <span className="dim">
          checked <Ago at={health.checkedAt} />
          {health.latencyMs !== null && ` in ${health.latencyMs} ms`}
        </span>
      )}
      <Uptime document={UptimeOfBackendDocument} id={id} of={name} />
    </section>
  );
}

interface CallsPanelProps extends Pick<BackendPageQuery, 'relayOperationCounts' | 'relayOperations'> {
  readonly backend: Backend;
  readonly text: string;
}

function CallsPanel({ backend, relayOperationCounts: counts, relayOperations: { nodes }, text }: CallsPanelProps) {
  const { viewer } = useLiveState();
  const latency = latencyOf(nodes);
  const shown = nodes.filter(({ name, state, cmpObject, deviceError }) =>
    containsWords(text, [name, state, cmpObject === null ? null : formatCmpObject(cmpObject), deviceError?.code]),
  );
  return (
    <Panel name="calls" title="Calls of 24 hours" summary={`newest ${shown.length}`}>
      <ScrollRegion list="calls" label="Calls of the last 24 hours, newest first">
        <p className="outcomes">
          {counts
            .filter(({ count }) => count > 0)
            .map(({ state, count, complete }) => (
              <span key={state}>
                {count}
                {complete ? '' : '+'} <b data-status={state}>{formatWord(state)}</b>
              </span>
            ))}
          {counts.every(({ count }) => count === 0) && <span className="dim">No call in this time.</span>}
          {nodes.length === 0 && isMember(viewer, backend.project?.id) && (
            <Link className="first-call" href={callLink('relayCall', backend.id)}>
              First call
            </Link>
          )}
        </p>
        {latency !== null && (
          <p className="outcomes dim">
            {`Of the newest ${latency.calls}: half took at most ${formatDuration(latency.medianMs)}, 95 % at most ${formatDuration(latency.p95Ms)}, the slowest ${formatDuration(latency.slowestMs)}.`}
          </p>
        )}
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

function CallItem({ call }: { readonly call: Call }) {
  const { id, name, state, createdAt, startedAt, finishedAt, cmpObject, deviceError } = call;
  return (
    <>
      <span className="line">
        <Time at={createdAt} />
        <Link className="name mono" href={linkTo('RelayOperation', id) ?? '/relay'}>
          {name}
        </Link>
        <b data-status={state}>{formatWord(state)}</b>
        {cmpObject !== null && (
          <Link className="object" href={linkToCmpObject(cmpObject)}>
            {formatCmpObject(cmpObject)}
          </Link>
        )}
        {startedAt !== null && finishedAt !== null && (
          <span className="dim">{formatDuration(Date.parse(finishedAt) - Date.parse(startedAt))}</span>
        )}
      </span>
      {deviceError !== null && (
        <span className="message">
          <DeviceFault fault={deviceError} />
        </span>
      )}
    </>
  );
}

interface ObjectsPanelProps extends Pick<BackendPageQuery, 'mappings'> {
  readonly text: string;
}

function ObjectsPanel({ mappings: { nodes, totalCount }, text }: ObjectsPanelProps) {
  const shown = nodes.filter(({ objectKey, resource, scope, cmpObject, lastVerification }) =>
    containsWords(text, [
      ...[objectKey, resource, scope, lastVerification?.result],
      cmpObject === null ? null : formatCmpObject(cmpObject),
    ]),
  );
  return (
    <Panel name="objects" title="Objects" summary={`${shown.length} of ${totalCount ?? 'more than 10,000'}`}>
      <ScrollRegion list="objects" label="Its objects">
        {shown.length === 0 && <p className="hint">No mapped objects{text === '' ? '' : ' that matches'}.</p>}
        <ul className="calls">
          {shown.map((mapping) => (
            <li key={mapping.id}>
              <ObjectItem mapping={mapping} />
            </li>
          ))}
        </ul>
      </ScrollRegion>
    </Panel>
  );
}

function ObjectItem({ mapping }: { readonly mapping: Mapping }) {
  const { id, objectKey, resource, scope, cmpObject, lastVerification } = mapping;
  return (
    <span className="line">
      <Link className="name mono" href={linkTo('Mapping', id) ?? '/relay'}>
        {objectKey}
      </Link>
      <span className="dim">
        {resource} in {scope}
      </span>
      {cmpObject !== null && (
        <Link className="object" href={linkToCmpObject(cmpObject)}>
          {formatCmpObject(cmpObject)}
        </Link>
      )}
      {lastVerification !== null && <b data-status={lastVerification.result}>{formatWord(lastVerification.result)}</b>}
    </span>
  );
}

function isWrong({ lastVerification }: Mapping): boolean {
  return lastVerification !== null && lastVerification.result !== 'MATCHES';
}
