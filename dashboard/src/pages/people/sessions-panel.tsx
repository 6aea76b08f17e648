// The viewer's own sessions, and the end of all but this one.
import { useCallback, useState } from 'react';
import {
  PeopleOthersLogoutDocument,
  PeopleSessionsDocument,
  type PeopleSessionsQuery,
} from '../../../../generated/dashboard/graphql.ts';
import { useDependencies } from '../../context.ts';
import { ConfirmedAction } from '../../view/confirmed-action.tsx';
import { Panel } from '../../view/panel.tsx';
import { type Failure, Failures, failureOf, failuresOf } from '../../view/refusal.tsx';
import { ScrollRegion } from '../../view/scroll-region.tsx';
import { Skeleton } from '../../view/skeleton.tsx';
import { Moment } from '../../view/time.tsx';
import { useReading } from '../../view/use-reading.ts';
import { everyMs } from './use-news.ts';

type Session = PeopleSessionsQuery['me']['sessions'][number];

export function SessionsPanel() {
  const { requester } = useDependencies();
  const [round, setRound] = useState(0);
  const read = useCallback(async () => (await requester.request(PeopleSessionsDocument, {})).me.sessions, [requester]);
  const { value: sessions, failure } = useReading(read, String(round), everyMs);
  const others = sessions?.filter(({ current }) => !current).length;
  return (
    <Panel
      name="sessions"
      title="Your sessions"
      summary={sessions?.length}
      tools={
        others !== undefined && others > 0 ? (
          <span className="tools">
            <EndOthers onEnded={() => setRound(round + 1)} />
          </span>
        ) : null
      }
    >
      <ScrollRegion list="sessions" label="Your sessions">
        <Failures failures={failure === null ? [] : [failure]} />
        {sessions === undefined && failure === null && <Skeleton />}
        <ul className="calls">
          {sessions?.map((session) => (
            <li key={`${session.createdAt} ${session.expiresAt}`}>
              <SessionLine session={session} />
            </li>
          ))}
        </ul>
      </ScrollRegion>
    </Panel>
  );
}

function SessionLine({ session: { createdAt, expiresAt, current } }: { readonly session: Session }) {
  return (
    <span className="line">
      <span>
        since <Moment at={createdAt} />
      </span>
      <span className="dim">
        ends <Moment at={expiresAt} />
      </span>
      {current && <b>this one</b>}
    </span>
  );
}

function EndOthers({ onEnded }: { readonly onEnded: () => void }) {
  const { requester } = useDependencies();
  const [isBusy, setBusy] = useState(false);
  const [failures, setFailures] = useState<readonly Failure[]>([]);
  const end = async (): Promise<boolean> => {
    setBusy(true);
    try {
      const { userErrors } = (await requester.request(PeopleOthersLogoutDocument, {})).logout;
      setFailures(failuresOf(userErrors));
      if (userErrors.length === 0) onEnded();
      return userErrors.length === 0;
    } catch (error) {
      setFailures([failureOf(error)]);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return (
    <ConfirmedAction
      label="End the others"
      question="End all your other sessions?"
      forbidden={null}
      control={{ isBusy, failures }}
      onConfirm={end}
    >
      Other browsers and terminals that are logged in as you must log in again. API tokens stay valid.
    </ConfirmedAction>
  );
}
