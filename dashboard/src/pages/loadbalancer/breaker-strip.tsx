// So many nodes are down together that none is replaced: a person must look. Only administrators see it.
import { useEffect, useMemo, useState } from 'react';
import { LoadbalancerBreakerDocument } from '../../../../generated/dashboard/graphql.ts';
import { useDependencies, useLiveState } from '../../context.ts';
import { Time } from '../../view/time.tsx';

const kind = 'loadBalancerHealing.state';

interface Told {
  readonly changedAt: string;
  readonly to: string;
  readonly reason: string | null;
}

export function BreakerStrip() {
  const told = useNewest();
  if (told?.to !== 'STOPPED') return null;
  return (
    <section className="strip strip-stale" aria-label="Healing has stopped" role="alert">
      <p>
        <strong>No node is replaced at present.</strong>{' '}
        {told.reason ?? 'Many nodes on several hosts are down together.'} DNS keeps its last answer. Since{' '}
        <Time at={told.changedAt} />.
      </p>
    </section>
  );
}

/** From the feed, or else from before its first line. */
function useNewest(): Told | null {
  const { requester } = useDependencies();
  const { feed, viewer } = useLiveState();
  const isAdmin = viewer?.admin === true;
  const [earlier, setEarlier] = useState<Told | null>(null);
  useEffect(() => {
    if (!isAdmin) return;
    let isOver = false;
    requester.request(LoadbalancerBreakerDocument, {}).then(
      ({ statusHistory }) => {
        if (!isOver) setEarlier(statusHistory.nodes[0] ?? null);
      },
      // The live state shows that the server does not answer.
      () => undefined,
    );
    return () => {
      isOver = true;
    };
  }, [requester, isAdmin]);
  const later = useMemo(() => {
    const line = feed.find((each) => each.type === 'change' && each.change.kind === kind);
    return line?.type === 'change' ? line.change : null;
  }, [feed]);
  return later ?? earlier;
}
