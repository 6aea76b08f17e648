// One channel: its settings, and what became of its messages.
import { useCallback, useState } from 'react';
import {
  AlertsChannelTestDocument,
  AlertsDeliveriesDocument,
  type AlertsDeliveriesQuery,
} from '../../../../generated/dashboard/graphql.ts';
import { useDependencies, useLiveState } from '../../context.ts';
import { EditLink } from '../../forms/create-link.tsx';
import { ConfirmedAction } from '../../view/confirmed-action.tsx';
import { Drawer, Facts } from '../../view/drawer.tsx';
import { formatDuration, formatWord } from '../../view/format.ts';
import { PagedList } from '../../view/paged-panel.tsx';
import { isOperator } from '../../view/permissions.ts';
import { Time } from '../../view/time.tsx';
import { useMutation } from '../../view/use-mutation.ts';
import { type CountedPage, usePaged } from '../../view/use-paged.ts';
import { type Channel, QuietTimes } from './channels-panel.tsx';
import { useNews } from './use-alerts.ts';

type Delivery = NonNullable<AlertsDeliveriesQuery['alertChannel']>['deliveries']['nodes'][number];

const none: CountedPage<Delivery> = { nodes: [], pageInfo: { hasNextPage: false, endCursor: null }, totalCount: 0 };
/** What becomes of a message is told by no event. */
const everyMs = 3_000;

interface ChannelDrawerProps {
  readonly id: string;
  readonly onClose: () => void;
}

export function ChannelDrawer({ id, onClose }: ChannelDrawerProps) {
  const { requester } = useDependencies();
  const [channel, setChannel] = useState<Channel | null | undefined>(undefined);
  const readPage = useCallback(
    async (after: string | null): Promise<CountedPage<Delivery>> => {
      const { alertChannel } = await requester.request(AlertsDeliveriesDocument, { id, after });
      setChannel(alertChannel);
      return alertChannel?.deliveries ?? none;
    },
    [requester, id],
  );
  const paged = usePaged(readPage, useNews(), everyMs);
  return (
    <Drawer id={id} title={channel?.name ?? 'Channel'} onClose={onClose}>
      {channel === null && <p className="dim">Not found: deleted, or not visible to you.</p>}
      {channel != null && <ChannelDetails channel={channel} />}
      {channel !== null && (
        <section aria-label="Messages">
          <h3>Messages of the last week</h3>
          <PagedList
            paged={paged}
            none="No messages sent."
            keyOf={(delivery) => delivery.id}
            item={(delivery) => <DeliveryItem delivery={delivery} />}
          />
        </section>
      )}
    </Drawer>
  );
}

function ChannelDetails({ channel }: { readonly channel: Channel }) {
  const { viewer } = useLiveState();
  const control = useMutation(AlertsChannelTestDocument);
  const { id, name, channelKind, enabled, destination, recipients, groupMs, project } = channel;
  return (
    <>
      <div className="actions">
        <EditLink kind="AlertChannel" id={id} projectId={project?.id} />
        <ConfirmedAction
          label="Send a test"
          about={name}
          question={`Send a message to ${name}?`}
          forbidden={isOperator(viewer, project?.id) ? null : 'Only operators of its project can do this.'}
          control={control}
          onConfirm={async () => (await control.send({ id })) !== undefined}
        >
          It is sent even in quiet times. The result appears in the list of messages.
        </ConfirmedAction>
      </div>
      <Facts
        facts={[
          { name: 'Kind', value: formatWord(channelKind) },
          { name: 'Goes to', value: <code>{destination}</code> },
          { name: 'Recipients', value: recipients.join(', ') },
          { name: 'Sends', value: enabled ? 'yes' : <b data-status="OFFLINE">nothing: it is disabled</b> },
          { name: 'Quiet', value: <QuietTimes channel={channel} /> },
          { name: 'Collects', value: `for ${formatDuration(groupMs)}` },
          { name: 'Project', value: project?.name ?? 'the installation' },
          { name: 'Id', value: <code>{id}</code> },
        ]}
      />
    </>
  );
}

const statuses: Readonly<Record<Delivery['deliveryState'], string>> = {
  DELIVERED: 'SUCCEEDED',
  FAILED: 'FAILED',
  WAITING: 'SENT',
};

function DeliveryItem({ delivery }: { readonly delivery: Delivery }) {
  const { test, deliveryState, alertCount, attempts, lastError, createdAt, nextAttemptAt } = delivery;
  return (
    <>
      <span className="line">
        <Time at={createdAt} />
        <b data-status={statuses[deliveryState]}>{formatWord(deliveryState)}</b>
        <span>{test ? 'a test' : alertCount === 1 ? '1 alert' : `${alertCount} alerts`}</span>
        <span className="dim">{attempts === 1 ? '1 attempt' : `${attempts} attempts`}</span>
        {nextAttemptAt !== null && (
          <span className="dim">
            next at <Time at={nextAttemptAt} />
          </span>
        )}
      </span>
      {lastError !== null && <span className="message">{lastError}</span>}
    </>
  );
}
