// So many nodes are down together that none is replaced: a person must look. Only administrators see it.
import { useCallback, useMemo } from 'react';
import { LoadbalancerBreakerDocument } from '../../../../generated/dashboard/graphql.ts';
import { useDependencies, useLiveState } from '../../context.ts';
import { Time } from '../../view/time.tsx';
import { useRepeated } from '../../view/use-repeated.ts';

const kind = 'loadBalancerHealing.state';
const everyMs = 60_000;

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
        <strong>Nodes are not replaced now.</strong> {told.reason ?? 'Many nodes on several hosts are down at once.'}{' '}
        DNS keeps its last answer. Since <Time at={told.changedAt} />.
      </p>
    </section>
  );
}

/** From the feed, or from before its first line: what happened while the feed was away may have no line in it. */
function useNewest(): Told | null {
  const { requester } = useDependencies();
  const { feed, viewer } = useLiveState();
  const read = useCallback(
    async (): Promise<Told | null> =>
      (await requester.request(LoadbalancerBreakerDocument, {})).statusHistory.nodes[0] ?? null,
    [requester],
  );
  const kept = useRepeated(viewer?.admin === true ? read : null, everyMs);
  const told = useMemo(() => {
    const line = feed.find((each) => each.type === 'change' && each.change.kind === kind);
    return line?.type === 'change' ? line.change : null;
  }, [feed]);
  if (kept === null || told === null) return told ?? kept;
  return Date.parse(kept.changedAt) > Date.parse(told.changedAt) ? kept : told;
}
