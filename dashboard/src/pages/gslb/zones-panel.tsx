// Zones that our own name servers sign: their key-signing keys, and a rollover, which a person begins, withdraws or completes. Only
// administrators see them.

import { useCallback, useState } from 'react';
import { GslbZonesDocument, type GslbZonesQuery } from '../../../../generated/dashboard/graphql.ts';
import { useDependencies, useLiveState } from '../../context.ts';
import { ConfirmedAction } from '../../view/confirmed-action.tsx';
import { Panel } from '../../view/panel.tsx';
import { Failures } from '../../view/refusal.tsx';
import { ScrollRegion } from '../../view/scroll-region.tsx';
import { Skeleton } from '../../view/skeleton.tsx';
import { Time } from '../../view/time.tsx';
import { useReading } from '../../view/use-reading.ts';
import { useKeyRollBegin, useKeyRollCancel, useKeyRollConfirm } from './use-actions.ts';

type Zone = GslbZonesQuery['dnsZones']['nodes'][number];

const everyMs = 10_000;

export function ZonesPanel() {
  const { viewer } = useLiveState();
  return viewer?.admin === true ? <SignedZones /> : null;
}

function SignedZones() {
  const { requester } = useDependencies();
  const [done, setDone] = useState(0);
  const read = useCallback(async () => (await requester.request(GslbZonesDocument, {})).dnsZones, [requester]);
  const { value, failure } = useReading(read, String(done), everyMs);
  const onDone = useCallback(() => setDone((before) => before + 1), []);
  const signed = value?.nodes.filter(({ keys }) => keys.length > 0);
  return (
    <Panel name="zones" title="Signed zones" summary={signed === undefined ? undefined : String(signed.length)}>
      <ScrollRegion list="zones" label="Signed zones">
        {failure !== null && <Failures failures={[failure]} />}
        {signed === undefined && failure === null && <Skeleton />}
        {signed?.length === 0 && <p className="hint">Our name servers sign no zones.</p>}
        <ul className="machines">
          {signed?.map((zone) => (
            <li key={zone.id}>
              <ZoneItem zone={zone} onDone={onDone} />
            </li>
          ))}
        </ul>
        {value?.pageInfo.hasNextPage === true && (
          <p className="hint">
            Only the first 100 zones were read: <code>tidegate zones list</code> shows all.
          </p>
        )}
      </ScrollRegion>
    </Panel>
  );
}

interface ZoneProps {
  readonly zone: Zone;
  readonly onDone: () => void;
}

function ZoneItem({ zone, onDone }: ZoneProps) {
  const entries = zone.keys.filter(({ use }) => use === 'ENTRY').toSorted((a, b) => a.since.localeCompare(b.since));
  const newest = entries.at(-1);
  const rolls = entries.length > 1;
  return (
    <>
      <span className="line">
        <span className="name">{zone.name}</span>
        <span className="dim">
          {rolls ? 'key tags (KSK)' : 'key tag (KSK)'} {entries.map(({ keyTag }) => keyTag).join(' and ')}
        </span>
      </span>
      <span className="line dim">
        {newest !== undefined && (
          <span>
            {rolls ? `${newest.keyTag} also signed since` : 'signed since'} <Time at={newest.since} />
            {newest.namedSince !== null && (
              <>
                {' '}
                · {newest.keyTag} published by the parent since <Time at={newest.namedSince} />
              </>
            )}
          </span>
        )}
        <span className="badges">
          {!rolls && <BeginRoll zone={zone} onDone={onDone} />}
          {rolls && newest?.namedSince === null && (
            <>
              <CancelRoll zone={zone} keyTag={newest.keyTag} onDone={onDone} />
              <ConfirmRoll zone={zone} keyTag={newest.keyTag} onDone={onDone} />
            </>
          )}
        </span>
      </span>
    </>
  );
}

function BeginRoll({ zone: { id, name }, onDone }: ZoneProps) {
  const { control, begin } = useKeyRollBegin(id, onDone);
  return (
    <ConfirmedAction
      label="Roll over key"
      about={name}
      question={`Roll over the key-signing key of ${name}?`}
      forbidden={null}
      control={control}
      onConfirm={begin}
    >
      A second key-signing key (KSK) signs beside the first. After 8 days the zone offers its DS record, which replaces
      the old one at the parent. Until then the new key can be withdrawn.
    </ConfirmedAction>
  );
}

interface RollProps extends ZoneProps {
  /** Of the new key. */
  readonly keyTag: number;
}

function CancelRoll({ zone: { id, name }, keyTag, onDone }: RollProps) {
  const { control, cancel } = useKeyRollCancel(id, onDone);
  return (
    <ConfirmedAction
      label="Withdraw the new key"
      about={`${keyTag} of ${name}`}
      question={`Withdraw the key ${keyTag} of ${name}?`}
      forbidden={null}
      control={control}
      onConfirm={cancel}
    >
      Only the first key signs again. This is refused once the parent may publish the new one.
    </ConfirmedAction>
  );
}

function ConfirmRoll({ zone: { id, name }, keyTag, onDone }: RollProps) {
  const { control, confirm } = useKeyRollConfirm(id, onDone);
  return (
    <ConfirmedAction
      label="The parent publishes it"
      about={`${keyTag} of ${name}`}
      question={`Does the parent of ${name} publish only the DS record of key ${keyTag}?`}
      forbidden={null}
      control={control}
      onConfirm={() => confirm(keyTag)}
    >
      The old key is removed 2 days later. If the parent still publishes it then, validating resolvers reject the zone.
    </ConfirmedAction>
  );
}
