// The rings, for administrators: the data that a change would move, and the progress of each change, with buttons to pause, resume and cancel it.

import { useCallback, useState } from 'react';
import { ObjectsRingPreviewDocument } from '../../../../generated/dashboard/graphql.ts';
import { useDependencies, useEntities, useLiveState } from '../../context.ts';
import { ConfirmedAction } from '../../view/confirmed-action.tsx';
import { formatWord } from '../../view/format.ts';
import { Panel } from '../../view/panel.tsx';
import { ScrollRegion } from '../../view/scroll-region.tsx';
import { Skeleton } from '../../view/skeleton.tsx';
import { Time } from '../../view/time.tsx';
import { useRepeated } from '../../view/use-repeated.ts';
import { clusterKind } from './kinds/cluster.ts';
import { useForbidden, useRingCancel, useRingChange, useRingPause, useRingResume } from './use-actions.ts';
import type { Rings } from './use-rings.ts';

type Ring = Rings['objectRings']['nodes'][number];
type Change = Rings['objectRingChanges']['nodes'][number];
type NameOf = (cluster: number) => string;

const previewEveryMs = 5_000;
const mostEnded = 5;

/** `changed in 1 step`. */
function endWords(state: Change['state']): string {
  return state === 'SUCCEEDED' ? 'changed in' : `${formatWord(state)} after`;
}

export function RingsPanel({ rings: found }: { readonly rings: Rings | null }) {
  const isAdmin = useLiveState().viewer?.admin === true;
  const clusters = useEntities(clusterKind);
  if (!isAdmin) return null;
  const nameOf: NameOf = (number) =>
    [...clusters.values()].find((each) => each.number === number)?.name ?? `cluster ${number}`;
  const options = new Map(found?.objectOptions.nodes.map(({ number, name }) => [number, name]));
  const ringName = (number: number): string => (number === 0 ? 'core' : (options.get(number) ?? String(number)));
  const changes = found?.objectRingChanges.nodes ?? [];
  const live = changes.filter(isLive);
  const ended = changes.filter((each) => !isLive(each)).slice(0, mostEnded);
  return (
    <Panel name="rings" title="Rings" summary={live.length > 0 ? `${live.length} changing` : undefined}>
      <ScrollRegion list="rings" label="Rings">
        {found === null && <Skeleton />}
        <ul className="rings">
          {found?.objectRings.nodes.map((ring) => {
            const name = ringName(ring.number);
            const change = live.find(({ number }) => number === ring.number);
            return (
              <li key={ring.number} data-ring={name}>
                <span className="line">
                  <span className="name">{name}</span>
                  <span className="dim">
                    epoch {ring.epoch} · {ring.replicas} replicas
                  </span>
                  {change === undefined && <StartChange key={ring.number} {...{ ring, name, nameOf }} />}
                </span>
                {change !== undefined && <LiveChange key={change.id} {...{ change, name, nameOf }} />}
              </li>
            );
          })}
        </ul>
        {ended.length > 0 && (
          <ul className="ended" aria-label="Changes that have ended">
            {ended.map(({ id, number, state, finishedAt, stepsDone }) => (
              <li key={id} className="dim">
                {ringName(number)}: {endWords(state)} {stepsDone} {stepsDone === 1 ? 'step' : 'steps'}
                {finishedAt !== null && (
                  <>
                    , <Time at={finishedAt} />
                  </>
                )}
              </li>
            ))}
          </ul>
        )}
      </ScrollRegion>
    </Panel>
  );
}

interface StartChangeProps {
  readonly ring: Ring;
  readonly name: string;
  readonly nameOf: NameOf;
}

function StartChange({ ring: { number }, name, nameOf }: StartChangeProps) {
  const forbidden = useForbidden();
  const { control, start } = useRingChange(number);
  const [isOpen, setOpen] = useState(false);
  return (
    <ConfirmedAction
      label="Change"
      about={`ring ${name}`}
      question={`Change ring ${name} now?`}
      {...{ forbidden, control }}
      onConfirm={start}
      onOpenChange={setOpen}
      fields={isOpen && <Preview number={number} nameOf={nameOf} />}
    >
      Data moves step by step while users keep working. You can pause it, or cancel it back to the last finished step.
    </ConfirmedAction>
  );
}

/** Read only while it is in sight: the steps are computed. */
function Preview({ number, nameOf }: { readonly number: number; readonly nameOf: NameOf }) {
  const { requester } = useDependencies();
  const read = useCallback(
    async () => ({
      preview: (await requester.request(ObjectsRingPreviewDocument, { number })).objectRingChangePreview,
    }),
    [requester, number],
  );
  const found = useRepeated(read, previewEveryMs);
  if (found === null) return <p role="status">Calculating what would move…</p>;
  const { preview } = found;
  if (preview === null) return <p role="status">This ring no longer exists.</p>;
  if (preview.stepCount === 0) return <p role="status">Up to date: nothing would move.</p>;
  return (
    <table className="preview">
      <caption>
        {preview.stepCount} {preview.stepCount === 1 ? 'step' : 'steps'}, {preview.movedPercent.toFixed(1)} % of the
        replicas move
      </caption>
      <thead>
        <tr>
          <th scope="col">Cluster</th>
          <th scope="col">Partitions now</th>
          <th scope="col">Then</th>
        </tr>
      </thead>
      <tbody>
        {preview.shares.map(({ number: cluster, partitionsNow, partitionsThen }) => (
          <tr key={cluster}>
            <th scope="row">{nameOf(cluster)}</th>
            <td>{partitionsNow}</td>
            <td>{partitionsThen}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface LiveChangeProps {
  readonly change: Change;
  readonly name: string;
  readonly nameOf: NameOf;
}

function LiveChange({ change, name, nameOf }: LiveChangeProps) {
  const { id, state, stepCount, stepsDone, gaining } = change;
  const forbidden = useForbidden();
  const { control: pausing, pause } = useRingPause(id);
  const { control: resuming, resume } = useRingResume(id);
  const { control: cancelling, cancel } = useRingCancel(id);
  const about = `the change of ring ${name}`;
  const most = Math.max(stepCount, stepsDone + 1);
  return (
    <>
      <span className="line">
        <progress max={most} value={stepsDone + shareDone(change)} aria-label={`Change of ring ${name}`} />
        <span>
          {formatWord(state)}: {stepsDone} of {most} steps
        </span>
      </span>
      {gaining.map(({ number, partitions, left, message }) => (
        <span key={number} className="line dim">
          <span>
            {nameOf(number)}{' '}
            {left === null ? 'no report for this step yet' : `lacks ${left} of ${partitions ?? left} partitions`}
          </span>
          {message !== null && <span className="message">{message}</span>}
        </span>
      ))}
      <div className="actions">
        {state === 'RUNNING' ? (
          <ConfirmedAction
            label="Pause"
            {...{ about, forbidden }}
            question={`Pause ${about}?`}
            control={pausing}
            onConfirm={pause}
          >
            No more data moves until you resume. Users are not affected.
          </ConfirmedAction>
        ) : (
          <ConfirmedAction
            label="Resume"
            {...{ about, forbidden }}
            question={`Resume ${about}?`}
            control={resuming}
            onConfirm={resume}
          >
            It continues where it stopped.
          </ConfirmedAction>
        )}
        <ConfirmedAction
          label="Cancel the change"
          about={`of ring ${name}`}
          forbidden={forbidden}
          question={`Cancel ${about}?`}
          control={cancelling}
          onConfirm={cancel}
        >
          The current step is undone. Data moved by earlier steps stays where it is.
        </ConfirmedAction>
      </div>
    </>
  );
}

export function isLive({ state }: Pick<Change, 'state'>): boolean {
  return state === 'RUNNING' || state === 'PAUSED';
}

/** Of the step under way, 0 to 1. */
function shareDone({ gaining }: Change): number {
  const shares = gaining.map(({ partitions, left }) =>
    partitions === null || left === null ? 0 : partitions === 0 ? 1 : 1 - left / partitions,
  );
  return shares.length === 0 ? 0 : Math.min(...shares);
}
