// The channels: where alerts are sent, and when they are quiet.
import { useCallback } from 'react';
import { type AlertChannelFieldsFragment, AlertsChannelsDocument } from '../../../../generated/dashboard/graphql.ts';
import { useDependencies } from '../../context.ts';
import { useFilters } from '../../filters/use-filters.ts';
import { CreateLink } from '../../forms/create-link.tsx';
import { formatWord } from '../../view/format.ts';
import { Link } from '../../view/link.tsx';
import { PagedPanel } from '../../view/paged-panel.tsx';
import { usePaged } from '../../view/use-paged.ts';
import { useSettled } from '../../view/use-settled.ts';
import { type AlertControl, filterFormat } from './filters.ts';
import { channelType } from './kinds.ts';
import { everyMs, useNews } from './use-alerts.ts';

export type Channel = AlertChannelFieldsFragment;

export function ChannelsPanel({ control: { filters } }: { readonly control: AlertControl }) {
  const { requester } = useDependencies();
  const { projectId } = filters;
  const text = useSettled(filters.text) || null;
  const readPage = useCallback(
    async (after: string | null) =>
      (await requester.request(AlertsChannelsDocument, { projectId, text, after })).alertChannels,
    [requester, projectId, text],
  );
  const paged = usePaged(readPage, useNews(), everyMs);
  return (
    <PagedPanel
      name="channels"
      title="Channels"
      paged={paged}
      none={text === null ? 'No channels yet: alerts appear only here.' : 'No channel matches.'}
      tools={<CreateLink kind="AlertChannel">Add a channel</CreateLink>}
      keyOf={({ id }) => id}
      item={(channel) => <ChannelItem channel={channel} />}
    />
  );
}

function ChannelItem({ channel }: { readonly channel: Channel }) {
  const { filters } = useFilters(filterFormat);
  const { id, name, channelKind, enabled, default: isDefault, destination, project } = channel;
  const open = { type: channelType.typename, id };
  return (
    <>
      <span className="line" data-channel={name}>
        <Link className="name" href={`/alerts${filterFormat.format({ ...filters, open })}`} data-row={id}>
          {name}
        </Link>
        <b>{formatWord(channelKind)}</b>
        <code className="dim">{destination}</code>
        {!enabled && <b data-status="OFFLINE">disabled</b>}
        {isDefault && <b title="Receives the alerts of rules that have no channel.">default</b>}
        <span className="dim">{project === null ? 'of the installation' : `of ${project.name}`}</span>
      </span>
      <QuietTimes channel={channel} />
    </>
  );
}

export function QuietTimes({ channel: { quietTimes, timeZone } }: { readonly channel: Channel }) {
  if (quietTimes.length === 0) return <span className="line dim">no quiet times</span>;
  return (
    <span className="line dim">
      {`quiet for what is not critical: ${quietTimes.map(quietTimeOf).join('; ')} (${timeZone})`}
    </span>
  );
}

/** `mon, tue 22:00–06:00`. */
function quietTimeOf({ days, startTime, endTime }: Channel['quietTimes'][number]): string {
  const named = days.length === 7 ? 'every day' : days.map((day) => day.slice(0, 3).toLowerCase()).join(', ');
  return `${named} ${startTime}–${endTime}`;
}
